"""What a city publishes is not good: it ends nothing, keeps nothing fresh, and is on record."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind, StatusBits
from gateway.clock import FixedClock, SystemClock
from gateway.keys import b64url
from gateway.recognition.status_fetch import LIST_BYTES
from gateway.recognition.status_reader import StatusReader
from tests.gateway.city import TestCity
from tests.gateway.recognition.partner import (
    CODE,
    Listed,
    Partner,
    ended,
    fresh_for_s,
    ok,
    refusals,
    visit,
)


def _signed(**claims: Any) -> Callable[[Partner], None]:
    def lie(partner: Partner) -> None:
        partner.claims = claims

    return lie


def _body(make: Callable[[bytes], bytes]) -> Callable[[Partner], None]:
    def lie(partner: Partner) -> None:
        partner.answer = make

    return lie


def _by(kid: str) -> Callable[[Partner], None]:
    def lie(partner: Partner) -> None:
        partner.signs_with = Kind.STATUS_LIST, kid, ec.generate_private_key(ec.SECP256R1())

    return lie


def _of_another_kind(partner: Partner) -> None:
    partner.signs_with = Kind.TRUST_LIST, "status", partner.key


def _aged(seconds: float) -> Callable[[Partner], None]:
    def lie(partner: Partner) -> None:
        partner.age_s = seconds

    return lie


BOMB = StatusBits(bits=1, lst=b64url(zlib.compress(bytes(64 << 20), 9)))
ELSEWHERE = "http://127.0.0.1:9"
LIES: dict[str, tuple[Callable[[Partner], None], str]] = {
    "another key": (_by("status"), "signature"),
    "an unknown key": (_by("other"), "key"),
    "a key for grants": (_by("grant"), "key"),
    "another kind": (_of_another_kind, "type"),
    "another issuer": (_signed(iss=ELSEWHERE), "issuer"),
    "another list": (_signed(sub="http://127.0.0.1:9/status-lists/1"), "audience"),
    "from the past": (_aged(61), "expired"),
    "five minutes ahead": (_aged(-300), "not-yet"),
    "for an hour": (_signed(exp=2_000_000_000), "lifetime"),
    "a bomb": (_signed(status_list=BOMB), "bits"),
    "no bits": (_signed(status_list=StatusBits(bits=1, lst="AAAAAAAA")), "bits"),
    "not a token": (_body(lambda _: ok(b"{}")), "shape"),
    "not ASCII": (_body(lambda _: ok("信".encode())), "shape"),
    "too large": (_body(lambda _: ok(b"a" * (LIST_BYTES + 1))), "down"),
    "an error": (_body(lambda _: b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), "down"),
    "a redirect": (
        _body(lambda _: b"HTTP/1.1 302 X\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n"),
        "down",
    ),
    "compressed": (_body(lambda token: ok(gzip.compress(token), "content-encoding: gzip")), "down"),
    "cut off": (_body(lambda token: ok(token)[:-10]), "down"),
    "no HTTP": (_body(lambda _: b"hello\r\n\r\n"), "down"),
    "nothing": (_body(lambda _: b""), "down"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_list_that_is_not_good_ends_nothing_and_keeps_nothing_fresh(
    town: TestCity, partner: Partner, reader: StatusReader, lie: str
) -> None:
    tell, why = LIES[lie]
    made = await visit(town, partner, idx=1)
    partner.ended = {1}
    tell(partner)
    await reader.step()
    assert await ended(town, made) is None
    assert await fresh_for_s(town, CODE) < 0
    told = await refusals(town)
    assert sum(told.values()) == 1
    ((code, reason),) = told
    assert code == CODE
    assert reason == why


async def test_a_list_older_than_one_seen_before_is_refused(
    town: TestCity, partner: Partner, tmp_path: Path
) -> None:
    clock = FixedClock(town.city.clock.now_us())
    listed = Listed(town, [partner], tmp_path, clock)
    await listed.publish()
    reader = listed.reader(town)
    await visit(town, partner)
    await reader.step()
    partner.age_s = 20
    clock.advance(seconds=11)
    await reader.step()
    assert await refusals(town) == {(CODE, "older"): 1}


async def test_an_address_of_another_origin_is_never_fetched(
    town: TestCity, partner: Partner, reader: StatusReader
) -> None:
    async with Partner(SystemClock(), "330300") as stranger:
        made = await visit(town, partner, idx=1)
        for uri in (stranger.uri(), partner.issuer + ".example/1", partner.issuer, "file:///x"):
            await town.owner.execute("UPDATE visit SET status_uri = $1", uri)
            assert await reader.valid(CODE, uri, 1) is None
        assert stranger.asked == partner.asked == []
        assert await ended(town, made) is None
    assert await refusals(town) == {(CODE, "address"): 4}
