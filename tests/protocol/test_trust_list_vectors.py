"""Trust lists: this gateway decides as the vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.clock import SECOND_US
from gateway.recognition.region import Region, parse_region
from gateway.recognition.trust_fetch import hindrance
from gateway.recognition.trust_list import ListRefused, TrustList, read_trust_list
from gateway.store.trust_list import Head
from tests.protocol import schemas
from tests.protocol.making.world import entry
from tests.protocol.vectors import Case, cases


def read(given: dict[str, Any], document: str, region: Region) -> TrustList:
    return read_trust_list(
        document,
        region,
        iss=region.iss,
        url=given["address"],
        now_us=given["now"] * SECOND_US,
    )


def head(listed: TrustList) -> Head:
    return Head(listed.serial, listed.content, listed.issued_us, listed.expires_us)


def verdict(given: dict[str, Any]) -> dict[str, Any] | str:
    region = parse_region(msgspec.json.encode(given["region"]))
    try:
        listed = read(given, given["document"], region)
    except ListRefused as fault:
        return fault.reason
    kept = given["seen"] and head(read(given, given["seen"], region))
    if hindrance(kept or None, head(listed)) is not None:
        return "serial"
    until = listed.until_us(given["fetch_began"] * SECOND_US) // SECOND_US
    return {"serial": listed.serial, "until": until, "cities": sorted(listed.cities)}


@pytest.mark.parametrize("case", cases("trust-lists.json"), ids=lambda case: case.id)
def test_a_list_is_judged_as_the_vectors_say(case: Case) -> None:
    assert verdict(case.given) == (case.reason or case.expect["accept"])


def test_entries_of_the_vectors_are_as_their_schema_says() -> None:
    assert all(schemas.is_valid("entry", entry(code)) for code in ("330100", "330200", "320500"))
