"""The list is fetched by one job, kept only where it is good, and never goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.jobs import jobs
from gateway.recognition import trust_list
from gateway.recognition.region import Region
from gateway.recognition.trust_fetch import EVERY_S, TrustFetcher, hindrance
from gateway.recognition.trust_list import MAX_BYTES, RELIED_US
from gateway.store import issuer as issuer_rows
from gateway.store.trust_list import Head
from tests.gateway import forge
from tests.gateway.attacks import attacks
from tests.gateway.city import TestCity
from tests.gateway.recognition.conftest import Pair
from tests.gateway.recognition.region import City, new_key
from tests.gateway.recognition.serving import HEAD, RegionServer

RELIED_S = RELIED_US // SECOND_US


async def knows(worker: TestCity) -> bool:
    """Whether B is known and agreed with, after a fetch."""
    await worker.city.trust_fetcher.step()
    trust = worker.city.trust
    city = trust.city("330200")
    assert (city is not None) == (trust.agreed("330200", worker.city.clock.now_us()) is not None)
    return city is not None


async def refusals(worker: TestCity) -> dict[tuple[str, str], int]:
    rows = await worker.owner.fetch(
        "SELECT city, reason, sum(times)::int AS times FROM recognition_refusal"
        " WHERE place = 'trust-list' GROUP BY city, reason"
    )
    return {(row["city"], row["reason"]): row["times"] for row in rows}


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def events(lines: list[Any]) -> set[str]:
    return {line["event"] for line in lines}


# ------------------------------------------------------------------ the way it goes


async def test_a_list_is_fetched_kept_and_known_at_every_worker(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    trust = second.city.trust
    assert trust.until_us == 0
    assert trust.city("330200") is None
    assert await knows(worker)
    assert trust.city("330200") is None, "a worker learns it with its tick"
    await second.city.refresh()
    assert trust.city("330200") is trust.by_issuer(pair.b.issuer)
    assert trust.until_us == (pair.now_s + RELIED_S) * SECOND_US
    assert len(pair.server.asked) == 1


async def test_a_city_without_a_region_recognises_nobody_and_calls_nobody(
    town: TestCity, pair: Pair
) -> None:
    assert await town.city.trust_fetcher.step() == 0
    await town.city.refresh()
    assert town.city.trust.city("330200") is None
    assert town.city.trust.agreements(town.city.clock.now_us()) == []
    assert pair.server.asked == []


async def test_the_same_list_costs_a_worker_a_look_at_its_times(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    await knows(worker)
    await second.city.refresh()
    known = second.city.trust.city("330200")
    written = "SELECT xmin::text, token FROM trust_list"
    before = await worker.owner.fetchrow(written)
    for _ in range(3):
        pair.clock.advance(seconds=40)
        await knows(worker)
        await second.city.refresh()
        assert second.city.trust.city("330200") is known, "nothing was read again"
        assert second.city.trust.until_us == (pair.now_s + RELIED_S) * SECOND_US
    after = await worker.owner.fetchrow(written)
    assert before is not None
    assert after is not None
    assert before["xmin"] != after["xmin"]
    assert before["token"] == after["token"], "the text is written when it says something new"


async def test_a_worker_that_begins_later_reads_what_was_kept(
    pair: Pair, worker: TestCity, second: TestCity
) -> None:
    await knows(worker)
    pair.clock.advance(seconds=45)
    await knows(worker)
    pair.clock.advance(seconds=45)  # the text's own time is over, what keeps it is not
    await second.city.refresh()
    assert second.city.trust.city("330200") is not None


def test_a_job_fetches_within_ten_seconds_of_the_last(town: TestCity) -> None:
    (job,) = (each for each in jobs(town.city) if each.name == "trust-list")
    assert job.every_s == EVERY_S
    assert EVERY_S * 1.1 + 2 < 10


async def test_two_steps_at_once_are_one_fetch(pair: Pair, worker: TestCity) -> None:
    pair.server.pause_s = 0.05
    await asyncio.gather(*(worker.city.trust_fetcher.step() for _ in range(20)))
    assert len(pair.server.asked) == 1


async def test_a_flood_of_unknown_keys_causes_no_fetch(pair: Pair, worker: TestCity) -> None:
    await knows(worker)
    trust = worker.city.trust
    for n in range(10_000):
        assert trust.find(Kind.RECOGNITION, pair.b.issuer, f"invented-{n}") is None
    assert len(pair.server.asked) == 1


# ------------------------------------------------------------------ faults of the wire


def _redirect(server: RegionServer) -> list[bytes]:
    return [b"HTTP/1.1 302 Found\r\nlocation: %s\r\n\r\n" % server.url.encode()]


FAULTS: dict[str, Any] = {
    "a redirect": _redirect,
    "an error": lambda _: [b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"],
    "compressed": lambda _: [HEAD + b"content-encoding: gzip\r\n\r\n\x1f\x8b"],
    "huge": lambda _: [HEAD + b"\r\n", b"x" * (MAX_BYTES + 1)],
    "announced as huge": lambda _: [HEAD + b"content-length: 99999999999\r\n\r\n", b"x" * 999],
    "no HTTP": lambda _: [b"hello\r\n\r\n"],
    "nothing": lambda _: [],
    "cut off": lambda server: [server.honest()[0], server.honest()[1][:99]],
}
CONTENTS: dict[str, Any] = {
    "empty": "",
    "a page": "<!doctype html><p>Sign in to this network",
    "JSON": '{"cities": []}',
    "bytes": bytes(range(256)),
    "white space": " \n",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_wire_changes_nothing(
    pair: Pair, worker: TestCity, fault: str
) -> None:
    assert await knows(worker)
    pair.server.answer = lambda: FAULTS[fault](pair.server)
    pair.clock.advance(seconds=20)
    assert await knows(worker), "the last good list serves until its end"
    pair.clock.advance(seconds=40)
    assert not await knows(worker)
    pair.server.answer = pair.server.honest
    assert await knows(worker)
    asked = {"GET /cities HTTP/1.1"}
    assert set(pair.server.asked) == asked, "a redirect was followed"


@pytest.mark.parametrize("content", CONTENTS)
async def test_wrong_content_changes_nothing(pair: Pair, worker: TestCity, content: str) -> None:
    assert await knows(worker)
    pair.server.answer = lambda: pair.server.saying(CONTENTS[content])
    assert await knows(worker)
    assert await refusals(worker) == {("", "shape"): 1}


@pytest.mark.parametrize("pieces", [1, 50])
async def test_a_slow_or_trickling_region_is_left_after_two_seconds(
    pair: Pair, worker: TestCity, pieces: int
) -> None:
    head, body = pair.server.honest()
    step = len(body) // pieces
    pair.server.answer = lambda: [head, *(body[n : n + step] for n in range(0, len(body), step))]
    pair.server.pause_s = 2.5 if pieces == 1 else 0.2
    began = asyncio.get_running_loop().time()
    assert not await knows(worker)
    assert asyncio.get_running_loop().time() - began < 3


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/cities", "https://169.254.169.254/cities", "https://[fc00::1]/cities"]
)
async def test_a_private_address_is_not_called(
    worker: TestCity, pair: Pair, url: str, lines: list[Any]
) -> None:
    fetcher = _with(worker, trust_list_url=url)
    assert await fetcher.step() == 0
    await fetcher.close()
    assert {"event": "trust_list_unreachable", "error": "OutboundRefused"}.items() <= max(
        (line for line in lines if line["event"] == "trust_list_unreachable"), key=len
    ).items()
    assert pair.server.asked == []


def _with(worker: TestCity, client: httpx.AsyncClient | None = None, **settings: Any) -> Any:
    city = worker.city
    changed = type(city.settings)(
        **{n: getattr(city.settings, n) for n in city.settings.__struct_fields__} | settings
    )
    return TrustFetcher(changed, city.trust, city.database, city.clock, city.counts, client)


async def test_ten_minutes_of_silence_end_with_the_list_and_with_nobody_recognised(
    pair: Pair, worker: TestCity, lines: list[Any]
) -> None:
    assert await knows(worker)
    await worker.owner.execute(
        "INSERT INTO issuer (code, fresh_until) VALUES ('330200', clock_timestamp() + '1 hour')"
    )
    pair.server.answer = list
    for second in range(10, 600, 10):
        pair.clock.advance(seconds=10)
        assert await knows(worker) == (second < RELIED_S)
        assert await _is_fresh(worker) == (second < RELIED_S)
    assert {"trust_list_unreachable", "trust_list_expiring", "trust_list_expired"} <= events(lines)
    told = [line for line in lines if line["event"] == "trust_list_expiring"]
    assert [line["count"] for line in told] == [30, 20, 10]
    assert worker.city.counts.trust_list_fetches["unreachable",] == 59
    pair.server.answer = pair.server.honest
    assert await knows(worker)


async def _is_fresh(worker: TestCity) -> bool:
    return bool(
        await worker.owner.fetchval(
            "SELECT fresh_until > clock_timestamp() FROM issuer WHERE code = '330200'"
        )
    )


# ------------------------------------------------------------------ the region's clock

#: An expelled city may be relied on for so long, with whoever is cut off (issue and protocol 3.3).
EXPELLED_S = 60


async def relied_on_s(pair: Pair, worker: TestCity, *, ahead_s: int, cached_s: int = 0) -> int:
    """For how many seconds after its signature a list serves a reader that is then cut off.

    The region's clock is ahead, and what the reader got had been signed some seconds before.
    """
    signed_s = pair.now_s
    list_ = pair.region.token(signed_s + ahead_s)
    pair.clock.advance(seconds=cached_s)
    pair.server.answer = lambda: pair.server.saying(list_)
    assert await knows(worker)
    pair.server.answer = list
    while await knows(worker):
        pair.clock.advance(seconds=1)
    return pair.now_s - signed_s


@pytest.mark.parametrize("cached_s", [0, 10])
@pytest.mark.parametrize("ahead_s", [-10, 0, 10])
async def test_no_list_serves_for_longer_than_a_minute_whatever_the_regions_clock_says(
    pair: Pair, worker: TestCity, ahead_s: int, cached_s: int
) -> None:
    took_s = await relied_on_s(pair, worker, ahead_s=ahead_s, cached_s=cached_s)
    assert took_s == RELIED_S + min(ahead_s, cached_s)
    assert took_s <= EXPELLED_S


async def test_by_its_exp_alone_a_list_would_serve_for_longer(
    pair: Pair, worker: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without the bound, a region whose clock is ahead is relied on for 70 s."""
    monkeypatch.setattr(trust_list, "RELIED_US", 10**12)
    assert await relied_on_s(pair, worker, ahead_s=10) == EXPELLED_S + 10


async def test_visitors_of_a_city_are_not_fresh_for_longer_than_the_list_serves(
    pair: Pair, worker: TestCity
) -> None:
    list_ = pair.region.token(pair.now_s + 10)
    pair.server.answer = lambda: pair.server.saying(list_)
    assert await knows(worker)
    await worker.owner.execute("INSERT INTO issuer (code) VALUES ('330200')")
    far_us = (pair.now_s + 1000) * SECOND_US
    async with worker.city.database.connection() as connection:
        await issuer_rows.extend(connection, "330200", far_us)
    until = await worker.owner.fetchval("SELECT to_us(fresh_until) FROM issuer")
    assert until == (pair.now_s + RELIED_S) * SECOND_US


# ------------------------------------------------------------------ lists that lie


class _Says(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.text = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(self.text.encode()))


async def test_no_forged_list_is_kept(worker: TestCity) -> None:
    """The whole catalogue, by the job's own way, into PostgreSQL."""
    keys = {kid: forge.KEYS.rows[Kind.TRUST_LIST, forge.ISSUER, kid] for kid in (forge.KID, "ed")}
    worker.city.trust.region = Region(forge.ISSUER, keys)
    says = _Says()
    fetcher = _with(worker, httpx.AsyncClient(transport=says), trust_list_url=forge.AUDIENCE)
    for name, says.text in attacks(Kind.TRUST_LIST):
        await fetcher.step()
        assert await worker.owner.fetchval("SELECT count(*) FROM trust_list") == 0, name
    says.text = forge.honest(Kind.TRUST_LIST)
    await fetcher.step()
    assert await worker.owner.fetchval("SELECT count(*) FROM trust_list") == 1
    assert set(await refusals(worker)) >= {("", "signature"), ("", "algorithm"), ("", "expired")}
    await fetcher.close()


async def test_a_list_by_another_key_for_another_address_or_of_yesterday_is_not_kept(
    pair: Pair, worker: TestCity
) -> None:
    assert await knows(worker)
    region, bad = pair.region, City("330900")
    region.cities.append(bad)
    region.serial += 1
    for token in (
        region.token(pair.now_s, key=new_key()),
        region.token(pair.now_s, sub="https://region.example/elsewhere"),
        region.token(pair.now_s, iss="https://evil.example"),
        region.token(pair.now_s - 60),
        forge.honest(Kind.STATUS_LIST),
    ):
        pair.server.answer = lambda token=token: pair.server.saying(token)  # type: ignore[misc]  # mypy infers no lambda with a default
        await knows(worker)
        assert worker.city.trust.city("330900") is None
    assert set(await refusals(worker)) == {
        ("", each) for each in ("signature", "audience", "issuer", "expired", "type")
    }


async def test_a_serial_never_falls_and_never_means_two_things(
    pair: Pair, worker: TestCity
) -> None:
    region = pair.region
    region.serial = 7
    assert await knows(worker)
    region.cities.append(City("330900"))
    for serial, why in ((6, "serial-fell"), (7, "serial-reused")):
        region.serial = serial
        await knows(worker)
        assert worker.city.trust.city("330900") is None
        assert (await refusals(worker))["", why] == 1
    region.serial = 8
    await knows(worker)
    assert worker.city.trust.city("330900") is not None


async def test_an_expelled_city_does_not_come_back_with_an_older_list(
    pair: Pair, worker: TestCity
) -> None:
    earlier = pair.region.token(pair.now_s)
    pair.clock.advance(seconds=5)
    pair.region.cities.remove(pair.b)
    pair.region.serial += 1
    assert not await knows(worker)
    pair.server.answer = lambda: pair.server.saying(earlier)
    assert not await knows(worker)
    assert (await refusals(worker))["", "serial-fell"] == 1


def test_what_hinders_a_list() -> None:
    kept = Head(7, b"a" * 32, 100, 160)
    assert hindrance(None, kept) is None
    assert hindrance(kept, kept) is None
    assert hindrance(kept, Head(7, b"a" * 32, 101, 161)) is None
    assert hindrance(kept, Head(8, b"b" * 32, 100, 160)) is None
    assert hindrance(kept, Head(6, b"a" * 32, 200, 260)) == "serial-fell"
    assert hindrance(kept, Head(7, b"b" * 32, 200, 260)) == "serial-reused"
    assert hindrance(kept, Head(8, b"b" * 32, 99, 159)) == "older"


async def test_a_bad_entry_is_counted_once_with_its_reason(pair: Pair, worker: TestCity) -> None:
    """A20: what two cities share condemns both, and the reason is on record."""
    twin = City("330300")
    twin.keys.append(("grant", "stolen", pair.b.keys[1][2]))
    pair.region.cities.append(twin)
    for _ in range(3):
        assert not await knows(worker)
        pair.clock.advance(seconds=1)
    assert await refusals(worker) == {("330200", "shared-key"): 1, ("330300", "shared-key"): 1}


async def test_a_list_with_another_gateway_in_our_place_opens_nothing(
    pair: Pair, worker: TestCity, lines: list[Any]
) -> None:
    pair.region.cities[0] = City("330100", issuer="https://impostor.example")
    await worker.city.trust_fetcher.step()
    trust = worker.city.trust
    assert trust.city("330200") is not None
    assert trust.city("330100") is None
    assert trust.by_issuer("https://impostor.example") is None
    assert trust.agreed("330200", worker.city.clock.now_us()) is None
    assert "trust_list_without_us" in events(lines)
