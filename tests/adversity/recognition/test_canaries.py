"""What is secret or personal goes nowhere by accident: planted, and looked for everywhere.

By one process: the cache, what is said of refusals, every line that is logged, every label that is
counted (of which metrics are made). By two live cities: their logs as they lie on the disk.
"""

from __future__ import annotations

import httpx
from redis.asyncio import Redis
from structlog.testing import capture_logs

from gateway.local.people import person_of_login
from gateway.local.valkey import Valkey
from tests.adversity.recognition.kinds import KINDS, Bench
from tests.adversity.recognition.league import League
from tests.adversity.recognition.places import HOME, OWN, VISITED
from tests.adversity.recognition.travel import Abroad
from tests.pair import Pair


def persons(login: str) -> set[str]:
    """What the identity provider tells of somebody."""
    who = person_of_login(login)
    assert who is not None
    return {who.name, who.id_number, who.id_number[6:14]}


def found(canaries: set[str], text: str) -> list[str]:
    """Those of them that a text holds, named by their beginning."""
    return [each[:12] for each in canaries if each in text]


async def test_nothing_planted_is_in_cache_problems_logs_or_counts(
    league: League, valkey: Valkey
) -> None:
    bench = Bench(league)
    with capture_logs() as lines:
        await bench.settle()
        for kind in KINDS:
            await bench.mint(kind)
        canaries = set(bench.held.values())
        # Refused everywhere once, and then each taken where it is good.
        cells = [
            (place, kind)
            for place in (HOME | VISITED | OWN).values()
            for kind in ("statement", "proof", "session", "ID token", *place.kinds)
        ]
        said = [(await place.show(bench, bench.held[kind])).error for place, kind in cells]
        citizen = await bench.town.rows("SELECT id::text FROM citizen")
        canaries |= {row["id"] for row in citizen}
    canaries |= {bench.carrier.key.jkt, bench.prover.jkt, bench.carrier.secret, bench.phone.kid}
    canaries |= {bench.redeemable.state, bench.redeemable.verifier, bench.question["subject"]}
    canaries |= persons("person-1") | persons(f"person-{bench.carrier.number}")
    assert found(canaries, "\n".join(said)) == []
    assert found(canaries, str(lines)) == []
    for town in league.towns:
        series = town.town.city.counts.series()
        assert found(canaries, str(list(series))) == []
    assert found(canaries, await cached(valkey)) == []


async def cached(valkey: Valkey) -> str:
    """All keys and values of the cache, as text and as hex."""
    async with Redis.from_url(valkey.admin_url) as cache:
        texts = []
        async for key in cache.scan_iter():
            values = await cache.dump(key)
            for raw in (key, values or b""):
                texts += [raw.decode("latin-1"), raw.hex()]
    assert texts, "something is cached"
    return "\n".join(texts)


def test_nothing_of_a_traveller_is_in_two_cities_logs(pair: Pair) -> None:
    (login,) = pair.a.people(1, band=5)
    who = Abroad(pair, login, 1)
    refused = httpx.post(f"{pair.b.base_url}/v1/visits/token", headers={"dpop": who.key.jkt * 3})
    assert refused.status_code == 400
    who.travel()
    canaries = persons(login) | {who.key.jkt, who.consent, str(who.citizen), str(who.at_home)}
    canaries |= {each.value for each in who.browser.http.cookies.jar if each.value}
    assert len(canaries) > 8
    who.browser.http.close()
    folders = {side.data.parent for side in (pair.a, pair.b)}
    logs = [path for folder in folders for path in folder.rglob("*.log")]
    assert len(logs) >= 4, "gateways and background workers of both"
    text = "\n".join(path.read_text("utf-8", "replace") for path in logs)
    assert found(canaries, text) == []
