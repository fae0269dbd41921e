"""Client assertions: this gateway decides as the vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.claims import AssertionClaims, Kind
from gateway.jose import Refused
from tests.protocol import judges
from tests.protocol.vectors import Case, cases


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    keys = judges.Listed(given["cities"])
    claims = judges.document(
        given, "assertion", Kind.ASSERTION, keys, issuer=None, audience=given["issuer"]
    )
    if isinstance(claims, Refused):
        return claims.reason.value
    assert isinstance(claims, AssertionClaims)
    # Single use is PostgreSQL's word (tests/gateway/oauth); this is what it goes by.
    return "replay" if [claims.iss, claims.jti] in given["seen"] else {"client": claims.iss}


@pytest.mark.parametrize("case", cases("assertions.json"), ids=lambda case: case.id)
def test_an_assertion_is_judged_as_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])
