"""DPoP proofs: this gateway decides as the vectors say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from gateway.clock import SECOND_US
from gateway.dpop import Nonces, Wanted, judge
from gateway.jose import Refused
from tests.protocol.vectors import Case, cases


class Given(Nonces):
    """The nonces that a case says were given out."""

    def __init__(self, nonces: Collection[str]) -> None:
        super().__init__(bytes(32))
        self._given = nonces

    def accepts(self, nonce: str, now_us: int) -> bool:
        return nonce in self._given


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    headers = [(b"dpop", field.encode()) for field in given["dpop"]]
    wanted = Wanted(
        method=given["method"],
        url=given["url"],
        access_token=given["access_token"],
        jkt=given["jkt"],
        nonce=given["nonce_wanted"],
    )
    now_us = given["now"] * SECOND_US
    answer = judge(headers, wanted, Given(given["nonces"]), now_us=now_us)
    if isinstance(answer, Refused):
        return answer.reason.value
    # Single use is PostgreSQL's word (tests/gateway/test_proofs.py); this is what it goes by.
    return "replayed" if [answer.jkt, answer.jti] in given["seen"] else {"jkt": answer.jkt}


@pytest.mark.parametrize("case", cases("proofs.json"), ids=lambda case: case.id)
def test_a_proof_is_judged_as_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])
