"""Status lists: this gateway decides as the vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.claims import Kind, StatusListClaims
from gateway.clock import SECOND_US
from gateway.jose import Refused
from gateway.recognition.status_bits import BitsRefused, is_set, raw_from
from gateway.recognition.status_fetch import Seen
from tests.protocol import judges
from tests.protocol.vectors import Case, cases


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    keys = judges.Published(Kind.STATUS_LIST, given["issuer"], given["keys"])
    claims = judges.document(
        given, "document", Kind.STATUS_LIST, keys, issuer=given["issuer"], audience=given["address"]
    )
    if isinstance(claims, Refused):
        return claims.reason.value
    assert isinstance(claims, StatusListClaims)
    if given["seen_iat"] is not None and claims.iat < given["seen_iat"]:
        return "older"  # as the reader of lists does (tests/gateway/recognition)
    try:
        bits = raw_from(claims.status_list.lst)
    except BitsRefused:
        return "bits"
    seen = Seen(
        bits, claims.iat * SECOND_US, claims.exp * SECOND_US, given["fetch_began"] * SECOND_US
    )
    bit = is_set(bits, given["idx"])
    return "index" if bit is None else {"bit": int(bit), "fresh_until": seen.until_us // SECOND_US}


@pytest.mark.parametrize("case", cases("status-lists.json"), ids=lambda case: case.id)
def test_a_list_is_judged_as_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])
