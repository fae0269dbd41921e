"""The catalogue A1-A13, A17 of forged tokens at every endpoint that takes a kind, over HTTP.

None is accepted, none is answered by a 5xx, each is refused in the place's own words and on record.
Where a try is dear a sample runs always, and all of them nightly.

| case | proven by |
|---|---|
| A1-A13, A17 | here, at each place; the guard in test_jose.py; citizens/test_rogue_provider.py |
| A14 every kind at every place | test_matrix.py |
| A15 replay | test_replays.py; a thousand at once in visits/test_presentations.py |
| A16 suspended, rotated | recognised/test_push.py, oauth/test_token.py |
| A16 a revoked device | citizens/test_commitments.py |
| A18 by another way | below |
| A19 proofs | oauth/test_dpop_suite.py; visits/test_acceptance.py, visits/test_sessions.py |
| A20 for another city, wider, expired anchor | visits/test_acceptance.py |
| A20 a key of two cities | recognition/test_trust_list.py, recognition/test_trust_fetch.py |
| mix-up, login CSRF | visits/test_callback.py |
| stolen without key or session | visits/test_acceptance.py, visits/test_sessions.py |
| clocks 5 min off | test_clocks.py; the region's in recognition/test_trust_fetch.py |
| a partner that is down, slow, lying | test_lying.py |

Folders are those of tests/gateway.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import SHOWN_CHARS, Kind
from tests.adversity.recognition import places
from tests.adversity.recognition.kinds import Bench
from tests.adversity.recognition.league import League
from tests.adversity.recognition.places import HOME, OWN, VISITED, Place, Seen
from tests.gateway.attacks import attacks
from tests.gateway.forge import Workshop

PLACES = HOME | VISITED | OWN


class Target(msgspec.Struct, frozen=True):
    """A place, the kind that is good there, and whose key signs it."""

    kind: Kind
    made: str
    key: Callable[[Bench], ec.EllipticCurvePrivateKey]


def _listed(place: int) -> Callable[[Bench], ec.EllipticCurvePrivateKey]:
    """The neighbour's key for a purpose: client, grant, status."""
    return lambda bench: bench.neighbour.keys[place][2]


def _own_access(bench: Bench) -> ec.EllipticCurvePrivateKey:
    keys = bench.town.town.city.keys
    return keys.token_signing[keys.token_kid]


TARGETS = {
    "resource, Bearer": Target(Kind.ACCESS, "access token", _own_access),
    "resource, DPoP": Target(Kind.ACCESS, "bound access token", _own_access),
    "client_assertion": Target(Kind.ASSERTION, "party's assertion", lambda b: b.party.private),
    "client of PAR": Target(Kind.ASSERTION, "city's assertion", _listed(0)),
    "client of the exchange": Target(Kind.ASSERTION, "city's assertion", _listed(0)),
    "client of jwt-bearer": Target(
        Kind.ASSERTION, "own assertion", lambda bench: bench.town.keys[0][2]
    ),
    "assertion": Target(Kind.RECOGNITION, "grant", _listed(1)),
    "presentation": Target(Kind.RECOGNITION, "grant", _listed(1)),
    "status list reader": Target(Kind.STATUS_LIST, "status list", _listed(2)),
    "trust list reader": Target(Kind.TRUST_LIST, "trust list", lambda b: b.league.region.private),
    "commitment": Target(Kind.COMMITMENT, "commitment", lambda bench: bench.phone.key),
}
#: Of so many one is tried in each run, where a try is a whole visit.
DEAR = {"presentation": 3, "client of jwt-bearer": 6}
#: Of each kind there are so many at least; a commitment, which names no city, has fewest.
ALL = 230


@pytest.fixture
async def bench(league: League) -> Bench:
    made = Bench(league)
    await made.settle()
    return made


async def tried(bench: Bench, at: str, *, every: int = 1) -> int:
    """Show the forged tokens, or some of them, at a place; how many that were."""
    target, place = TARGETS[at], PLACES[at]
    await bench.mint(target.made)
    bench.town.clock.stand()
    shop = Workshop(target.kind, bench.held[target.made], target.key(bench))
    faults: list[str] = []
    count = 0
    for name, forged in itertools.islice(attacks(target.kind, shop), None, None, every):
        before = sum((await bench.town.refusals()).values())
        seen = await place.show(bench, forged)
        after = sum((await bench.town.refusals()).values())
        # What no home city can answer is on record where it answers, and where nothing is shown.
        wanted = 2 if at == "presentation" and not 0 < len(forged) <= SHOWN_CHARS else 1
        faults += [f"{name}: {each}" for each in faults_of(place, seen, after - before, wanted)]
        count += 1
    assert faults == []
    bench.town.clock.go_on()
    await bench.freshen(target.made)
    seen = await place.show(bench, bench.held[target.made])
    assert seen.passed, f"what they were forged of is good: {seen}"
    return count


def faults_of(place: Place, seen: Seen, records: int, wanted: int = 1) -> list[str]:
    """What is wrong with a refusal, of which so many records were made and so many are wanted."""
    if seen.passed:
        return ["accepted"]
    faults = [] if not seen.status or 400 <= seen.status < 500 else [f"status {seen.status}"]
    # What is left out of a form altogether is nobody's token.
    is_shown = '"invalid_request"' not in seen.error
    if place.records and is_shown and records != wanted:
        faults.append(f"{records} records of it")
    return faults


@pytest.mark.parametrize("at", TARGETS)
async def test_no_forged_token_is_taken(bench: Bench, at: str) -> None:
    every = DEAR.get(at, 1)
    assert await tried(bench, at, every=every) >= ALL // every


@pytest.mark.nightly
@pytest.mark.parametrize("at", DEAR)
async def test_nor_is_any_of_them_where_a_try_is_dear(bench: Bench, at: str) -> None:
    assert await tried(bench, at) >= ALL


async def test_forged_statements_together_suspend_nothing(bench: Bench) -> None:
    """As many as a list has room for, beside one of the two that it takes."""
    region, cities = bench.league.region, sorted((bench.neighbour.code, bench.town.code))
    name = "-".join(cities)
    honest = bench.neighbour.says(0, "suspend", cities, bench.town.now_s, agreement=name)
    other = bench.neighbour.says(1, "suspend", cities, bench.town.now_s, agreement=name)
    shop = Workshop(Kind.AGREEMENT, honest, bench.neighbour.operators[0][2])
    forged = [token for _, token in attacks(Kind.AGREEMENT, shop) if "\0" not in token]
    assert len(forged) > 200
    trust, signed = bench.town.town.city.trust, region.agreements[name]
    bench.town.clock.stand()
    region.agreements[name] = [*signed, other, *forged]
    await bench.league.publish()
    assert trust.agreed(bench.neighbour.code, bench.town.clock.now_us()) is not None
    region.agreements[name] = [*signed, other, *forged, honest]
    await bench.league.publish()
    assert trust.agreed(bench.neighbour.code, bench.town.clock.now_us()) is None


# ------------------------------------------------------------------ A18: by another way


async def test_a_token_counts_where_it_belongs_and_nowhere_else(bench: Bench) -> None:
    """In the address, in a cookie, in another field or twice, a good token is none."""
    http, entry = bench.http, f"{bench.town.issuer}/v1/visits/session"
    for kind in ("visit token", "access token"):
        await bench.mint(kind)
    token, bearer = bench.held["visit token"], bench.held["access token"]

    def proof() -> str:
        return bench.shown.proof("/v1/visits/session", token=token)

    authorization = ("authorization", f"DPoP {token}")
    for fields in (
        [("dpop", proof())],
        [authorization, authorization, ("dpop", proof())],
        [authorization, ("dpop", proof()), ("dpop", proof())],
        [authorization, ("authorization", f"Bearer {bearer}"), ("dpop", proof())],
        [("authorization", f"Bearer {token}"), ("dpop", proof())],
        [("cookie", f"access_token={token}"), ("dpop", proof())],
        [authorization],
    ):
        # What says two things, or says a token in its address, is refused unread.
        asked = {"access_token": token}
        for told in (
            await http.post(entry, headers=fields),
            await http.post(entry, params=asked, headers=fields),
        ):
            assert told.status_code in (400, 401), fields
    cookie = ("cookie", f"access_token={bearer}")
    question, twice = places.QUESTION, [("authorization", f"Bearer {bearer}")] * 2
    for told in (
        await http.post(question, params={"access_token": bearer}, json=bench.question),
        await http.post(question, headers=twice, json=bench.question),
        await http.post(question, headers=[cookie], json=bench.question),
    ):
        assert told.status_code in (400, 401), told.text
    fields = [authorization, ("dpop", proof())]
    assert (await http.post(entry, headers=fields)).status_code == 204


async def test_a_citys_form_is_no_address(bench: Bench) -> None:
    assertion = bench.partner.assertion()
    asked = {"client_assertion": assertion}
    for path in ("/oauth/par", "/oauth/token"):
        told = await bench.http.post(path, params=asked, data={"grant_type": "x"})
        assert (told.status_code, told.json()["error"]) == (400, "invalid_request")
        fields = {"authorization": f"Bearer {assertion}"}
        told = await bench.http.post(path, headers=fields, data={"grant_type": "x"})
        assert (told.status_code, told.json()["error"]) == (400, "invalid_request")
    assert (await bench.partner.push(client_assertion=assertion)).status_code == 201
