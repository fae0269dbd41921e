"""A search is one record, true at its commit, and finds what single questions would."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from gateway import jobs
from gateway.clock import MINUTE_US, SECOND_US, to_us
from gateway.committer import Lost
from gateway.errors import (
    DependencyDown,
    Forbidden,
    OutcomeUnknown,
    Overloaded,
    Unauthenticated,
)
from gateway.parties import Principal
from gateway.search_evidence import SearchRecord, receipt
from scenarios.contract import Outcome
from tests.engines import Database
from tests.gateway.city import HOUR_US, TestCity
from tests.gateway.searching import Facts, enough, search, search_of

MANY = ("rent", "library", "hospital")


async def merchant(town: TestCity, *scenarios: str) -> Principal:
    """A party of several scenarios."""
    return await town.party(scenarios=scenarios or MANY)


async def ready(town: TestCity, *scenarios: str, band: int = 4) -> UUID:
    """A citizen to whom several scenarios are open."""
    citizen = await town.citizen(band=band)
    for name in scenarios or MANY:
        await town.consent(citizen, scenario=name)
        await town.commitment(citizen, scenario=name)
    return citizen


async def rows(town: TestCity) -> list[asyncpg.Record]:
    return list(await town.owner.fetch("SELECT * FROM search ORDER BY id"))


# ------------------------------------------------------------------ what is found


async def test_it_finds_what_is_open_and_says_what_could_not_be_assessed(town: TestCity) -> None:
    principal = await merchant(town)
    citizen = await ready(town)
    found = await search(town, citizen)
    assert found.scenarios == ("hospital", "library", "rent")
    assert found.cannot_assess == ()
    some = {key: value for key, value in enough(town, principal).items() if key != "deposit_fen"}
    found = await search(town, citizen, facts=some)
    assert (found.scenarios, found.cannot_assess) == (("hospital", "library"), ("rent",))
    found = await search(town, citizen, facts={})
    assert (found.scenarios, found.cannot_assess) == ((), ("hospital", "library", "rent"))


async def test_it_finds_nothing_that_was_not_consented_to_for_this_recipient(
    town: TestCity,
) -> None:
    mine = await merchant(town)
    rival = await town.party("rival", scenarios=MANY, entity="rival-house")
    citizen = await ready(town, "rent")
    await town.consent(citizen, scenario="library", recipient="rival-house")
    await town.commitment(citizen, scenario="library")
    assert (await search(town, citizen, mine)).scenarios == ("rent",)
    assert (await search(town, citizen, rival)).scenarios == ("library",)


async def test_each_recipient_of_a_party_is_a_place_of_its_own(town: TestCity) -> None:
    """A hospital that acts for a settlement operator in one scenario, for itself in another."""
    await town.party("clinic", kind="hospital", scenarios=["rent"], entity="clinic-house")
    await town.party("operator", scenarios=[], entity="operator-house")
    await town.owner.execute(
        "INSERT INTO party_scenario SELECT num, 'hospital', 'operator-house' FROM party"
        " WHERE id = 'clinic'"
    )
    await town.city.parties.refresh(force=True)
    principal = town.principal("clinic")
    places = town.city.searches.places.of(principal)
    assert sorted(place.scenarios for place in places) == [("hospital",), ("rent",)]
    assert len({place.sector for place in places}) == 2
    narrow = msgspec.structs.replace(principal, scopes=frozenset({"scenario:rent"}))
    assert [place.scenarios for place in town.city.searches.places.of(narrow)] == [("rent",)]


def _about(some: random.Random, town: TestCity) -> dict[str, Any]:
    """The life of a random consent, near enough to its edges."""
    now = town.city.clock.now_us()
    choices: list[dict[str, Any]] = [
        {},
        {},
        {"status": "paused", "paused_until_us": now + HOUR_US},
        {"status": "paused", "paused_until_us": now - SECOND_US},
        {"status": "withdrawn"},
        {"from_us": now + HOUR_US},
        {"to_us": now + HOUR_US},
    ]
    return some.choice(choices)


async def _random_citizen(town: TestCity, some: random.Random, names: tuple[str, ...]) -> UUID:
    citizen = await town.citizen(band=some.randint(0, 5))
    for name in names:
        if some.random() < 0.8:
            await town.consent(citizen, scenario=name, **_about(some, town))
        if some.random() < 0.7:
            await town.commitment(citizen, scenario=name)
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO residency VALUES ($1, '330106-001', '2020-01-01', NULL)", citizen
        )
        await town.owner.execute(
            "INSERT INTO points_entry VALUES ($1, $2, '330106-001', $3, now(), NULL)",
            *(str(citizen), citizen, some.choice([10, 100_000])),
        )
        if some.random() < 0.2:
            await town.owner.execute(
                "INSERT INTO suspension VALUES (gen_random_uuid(), $1, $2, now() - '1h'::interval)",
                *(citizen, some.choice(names)),
            )
        if some.random() < 0.2:
            await town.owner.execute(
                "INSERT INTO objection VALUES (gen_random_uuid(), $1, $2, now())",
                *(citizen, some.choice([*names, None])),
            )
        if some.random() < 0.2:
            await town.owner.execute(
                "INSERT INTO loan VALUES ($1, $2, 'l', 1, now() - '1h'::interval)",
                *(str(citizen), citizen),
            )
        if some.random() < 0.1:
            await town.owner.execute("UPDATE citizen SET wrapped_key = NULL WHERE id = $1", citizen)
    return citizen


def _random_facts(town: TestCity, some: random.Random, principal: Principal) -> Facts:
    facts = enough(town, principal)
    for name in list(facts):
        if some.random() < 0.1:
            del facts[name]
    if "deposit_fen" in facts and some.random() < 0.3:
        facts["deposit_fen"] = some.choice([1, 10_000_000])
    return facts


@pytest.mark.parametrize("kind", ["community", "city"])
async def test_a_search_finds_exactly_what_single_questions_call_eligible(
    town: TestCity, kind: str
) -> None:
    some = random.Random(20261123)
    names = (*MANY, "points") if kind == "community" else (*MANY, "recognition")
    place = {"community": "330106-001"} if kind == "community" else {"city": "330200"}
    principal = await town.party("asker", kind=kind, scenarios=names, **place)
    await town.owner.execute("INSERT INTO stock VALUES ('330106-001', 'umbrella', 3)")
    opened = 0
    for _ in range(40):
        citizen = await _random_citizen(town, some, names)
        facts = _random_facts(town, some, principal)
        found = await search(town, citizen, principal, facts=facts)
        single = {}
        for name in names:
            own = town.city.registry[name].manifest.facts
            mine = {fact.name: facts[fact.name] for fact in own if fact.name in facts}
            question = msgspec.structs.replace(
                town.question(citizen, principal, scenario=name),
                facts=msgspec.convert(mine, town.city.registry[name].facts_type, strict=False),
                stock=("330106-001", "umbrella") if name == "points" else None,
            )
            single[name] = (await town.city.decisions.decide(question)).outcome
        eligible = {name for name, outcome in single.items() if outcome is Outcome.ELIGIBLE}
        unsure = {name for name, outcome in single.items() if outcome is Outcome.CANNOT_ASSESS}
        assert (set(found.scenarios), set(found.cannot_assess)) == (eligible, unsure)
        opened += len(eligible)
    assert opened >= 20, "the sample says something"


# ------------------------------------------------------------------ one record


async def test_a_search_has_exactly_one_record_whose_receipt_can_be_made_again(
    town: TestCity,
) -> None:
    await merchant(town)
    citizen = await ready(town, "rent", "hospital")
    found = await search(town, citizen, staff="desk-3", reference="case/7")
    (row,) = await rows(town)
    fields: dict[str, Any] = {name: row[name] for name in SearchRecord.__struct_fields__}
    for name in ("evaluated", "found", "consents", "consent_versions"):
        fields[name] = tuple(fields[name])
    fields["consents"] = tuple(consent.bytes for consent in fields["consents"])
    made = receipt(SearchRecord(**fields), row["at_us"], row["valid_until_us"])
    assert made == found.receipt == row["receipt"]
    assert (row["id"], row["citizen"]) == (found.search, citizen)
    assert (row["staff"], row["reference"]) == ("desk-3", "case/7")
    numbers = {name: town.city.policies.number(name) for name in MANY}
    assert row["evaluated"] == [numbers[name] for name in sorted(MANY)]
    assert row["found"] == [numbers["hospital"], numbers["rent"]]
    consents = await town.owner.fetch("SELECT id FROM consent ORDER BY scenario")
    assert row["consents"] == [each["id"] for each in consents]
    assert row["consent_versions"] == [1, 1]
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_the_facts_are_sealed_under_the_persons_key_and_no_others_are_kept(
    town: TestCity,
) -> None:
    await merchant(town)
    citizen = await ready(town)
    facts = enough(town, town.principal()) | {"name": "a person", "time": "now"}
    found = await search(town, citizen, facts=facts)
    sealed = await town.owner.fetchval("SELECT sealed FROM search_facts")
    wrapped = await town.owner.fetchval("SELECT wrapped_key FROM citizen WHERE id = $1", citizen)
    seal = town.city.vault.person(wrapped, citizen)
    kept = msgspec.json.decode(seal.open(sealed, b"search_facts/" + found.search.bytes))
    assert kept.keys() == facts.keys() - {"name", "time"}
    assert kept["deposit_fen"] == facts["deposit_fen"]
    assert b"deposit_fen" not in sealed


async def test_a_name_that_opens_to_nobody_is_answered_and_recorded_alike(town: TestCity) -> None:
    await merchant(town)
    nobody, closed = UUID(int=7), await town.citizen(band=0)
    one, other = await search(town, nobody), await search(town, closed)
    assert one.scenarios == other.scenarios == ()
    assert one.cannot_assess == other.cannot_assess
    assert one.valid_until_us - one.at_us == other.valid_until_us - other.at_us == MINUTE_US
    first, second = await rows(town)
    assert (first["citizen"], first["standing_version"]) == (nobody, 0)
    assert first["evaluated"] == second["evaluated"]
    sizes = await town.owner.fetch("SELECT length(sealed) AS n FROM search_facts")
    assert len(sizes) == 2
    assert len({row["n"] for row in sizes}) == 1


async def test_nobody_is_checked_at_the_commit_too(town: TestCity) -> None:
    """A cache that says "nobody" about a living citizen changes nothing (property G)."""
    await merchant(town)
    citizen = await ready(town)
    await town.city.cache.put(town.city.cache.key(citizen), b"not an entry at all", 60)
    assert "rent" in (await search(town, citizen)).scenarios


async def test_searches_of_one_moment_share_one_statement(town: TestCity) -> None:
    await merchant(town)
    citizens = [await ready(town) for _ in range(4)]
    before = town.city.search_committer.batcher.batches
    found = await asyncio.gather(*(search(town, citizen) for citizen in citizens * 10))
    assert town.city.search_committer.batcher.batches - before <= 4
    assert len({each.search for each in found}) == len(await rows(town)) == 40


async def test_one_bad_row_never_fails_anothers(town: TestCity) -> None:
    await merchant(town)
    citizen = await ready(town)
    wanted = [search_of(town, citizen, staff="a\0b" if n == 5 else "desk") for n in range(12)]
    results = await asyncio.gather(
        *(town.city.searches.search(each) for each in wanted), return_exceptions=True
    )
    assert isinstance(results[5], DependencyDown)
    assert sum(not isinstance(result, BaseException) for result in results) == 11
    assert len(await rows(town)) == 11


async def test_a_search_past_its_deadline_is_never_sent(town: TestCity) -> None:
    await merchant(town)
    with pytest.raises(Overloaded):
        await search(town, await ready(town), deadline=0.0)
    assert await rows(town) == []


# ------------------------------------------------------------------ true at the commit


async def test_a_withdrawn_consent_is_found_by_nobody_though_the_cache_is_old(
    town: TestCity, other_worker: TestCity
) -> None:
    principal = await merchant(town)
    await other_worker.city.parties.refresh()
    citizen = await ready(town)
    old = await town.city.cache.get([town.city.cache.key(citizen)])
    assert old[0] is not None
    rent = await town.owner.fetchval("SELECT id FROM consent WHERE scenario = 'rent'")
    await town.consent(citizen, consent=rent, version=2, status="withdrawn")
    for _ in range(3):
        await town.city.cache.put(town.city.cache.key(citizen), old[0], 60)  # an old dump returns
        found = await search(other_worker, citizen, principal)
        assert found.scenarios == ("hospital", "library")


async def test_a_suspended_party_is_refused_by_the_commit_though_memory_is_old(
    town: TestCity,
) -> None:
    principal = await merchant(town)
    citizen = await ready(town)
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    with pytest.raises(Forbidden):
        await search(town, citizen, principal)
    assert await rows(town) == []


async def test_a_revoked_client_key_kills_its_tokens_at_the_commit(town: TestCity) -> None:
    principal = await merchant(town)
    citizen = await ready(town)
    await town.owner.execute("UPDATE party_key SET revoked_at = clock_timestamp()")
    with pytest.raises(Unauthenticated):
        await search(town, citizen, principal)
    assert await rows(town) == []


async def test_a_registration_that_ended_is_searched_no_more(town: TestCity) -> None:
    principal = await merchant(town)
    citizen = await ready(town)
    await town.owner.execute("DELETE FROM party_scenario WHERE scenario = 'rent'")
    assert (await search(town, citizen, principal)).scenarios == ("hospital", "library")
    (row,) = await rows(town)
    assert len(row["evaluated"]) == 2
    await town.owner.execute("DELETE FROM party_scenario")
    with pytest.raises(Forbidden):
        await search(town, citizen, principal)


async def test_a_retired_policy_finds_nothing_though_memory_is_old(town: TestCity) -> None:
    principal = await merchant(town)
    citizen = await ready(town)
    await town.owner.execute("UPDATE policy SET live = false WHERE scenario = 'rent'")
    found = await search(town, citizen, principal)
    assert (found.scenarios, found.cannot_assess) == (("hospital", "library"), ())
    (row,) = await rows(town)
    assert len(row["evaluated"]) == 2


async def test_a_consent_ends_by_the_databases_clock_not_the_workers(town: TestCity) -> None:
    """The worker's clock stands; the consent runs out meanwhile; the commit notices."""
    await merchant(town, "rent")
    citizen = await town.citizen()
    await town.commitment(citizen)
    now = town.city.clock.now_us()
    await town.consent(citizen, to_us=now + SECOND_US // 4)
    searches, wanted = town.city.searches, search_of(town, citizen)
    attempt = searches._attempt(wanted)
    premises = await searches._premises(wanted, attempt.shelf)
    await asyncio.sleep(0.3)
    sifted, proposal = searches._propose(wanted, attempt, premises, now)
    assert sifted.open == (0,)
    outcome = await town.city.search_committer.record(proposal, wanted.deadline)
    assert outcome.receipt is None
    assert (outcome.standing_holds, outcome.party_holds, outcome.policies_hold) == (True,) * 3
    assert (await search(town, citizen)).scenarios == ()


async def test_a_pause_that_ends_opens_again_without_a_new_version(town: TestCity) -> None:
    await merchant(town, "rent")
    citizen = await town.citizen()
    await town.commitment(citizen)
    now = town.city.clock.now_us()
    await town.consent(citizen, status="paused", paused_until_us=now + SECOND_US // 4)
    assert (await search(town, citizen)).scenarios == ()
    await asyncio.sleep(0.3)
    assert (await search(town, citizen)).scenarios == ("rent",)


async def test_what_was_found_is_never_valid_beyond_what_it_rests_on(town: TestCity) -> None:
    await merchant(town, "rent")
    citizen = await town.citizen()
    await town.commitment(citizen)
    end = town.city.clock.now_us() + 10 * SECOND_US
    await town.consent(citizen, to_us=end)
    assert (await search(town, citizen)).valid_until_us == end


async def test_the_end_of_an_answer_tells_nothing_of_what_was_not_found(town: TestCity) -> None:
    """A pause that ends soon, a loan that is due soon: the rent that was found minds neither."""
    await merchant(town)
    citizen = await ready(town, "rent")
    soon = town.city.clock.now_us() + 10 * SECOND_US
    await town.consent(citizen, scenario="library", status="paused", paused_until_us=soon)
    await town.commitment(citizen, scenario="library")
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO loan VALUES ('l', $1, 'l', 1, now() + '5 s'::interval)", citizen
        )
    found = await search(town, citizen)
    assert found.scenarios == ("rent",)
    assert found.valid_until_us == found.at_us + MINUTE_US
    (row,) = await rows(town)
    assert row["until_us"] <= to_us(await town.owner.fetchval("SELECT due_at FROM loan"))


# ------------------------------------------------------------------ no way around


async def test_a_consent_with_a_daily_frequency_is_left_out_and_nothing_is_used_up(
    town: TestCity,
) -> None:
    await merchant(town, "rent", "library")
    citizen = await ready(town, "library")
    await town.commitment(citizen)
    await town.consent(citizen, frequency=1)
    for _ in range(3):
        assert (await search(town, citizen)).scenarios == ("library",)
    assert await town.owner.fetchval("SELECT count(*) FROM consent_use") == 0
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_a_consent_shows_the_searches_that_relied_on_it(town: TestCity) -> None:
    await merchant(town)
    citizen = await ready(town, "rent")
    for _ in range(2):
        await search(town, citizen)
    await town.ask(citizen)
    _, today = await town.city.consents.held(citizen)
    assert today == {await town.owner.fetchval("SELECT id FROM consent"): 3}


# ------------------------------------------------------------------ unknown outcomes


#: Ends the server processes that wait for a lock; true where there was one.
END_WAITING = """
SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity
 WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def test_a_lost_connection_is_no_answer_and_never_sent_again(
    town: TestCity, database: Database
) -> None:
    await merchant(town)
    citizen = await ready(town)
    superuser = await asyncpg.connect(database.superuser_url)
    async with town.owner.transaction():
        await town.owner.execute("LOCK TABLE search IN SHARE MODE")  # the insert waits
        waiting = asyncio.create_task(search(town, citizen))
        while not await superuser.fetchval(END_WAITING):  # noqa: ASYNC110  it happens elsewhere
            await asyncio.sleep(0.001)
        with pytest.raises(OutcomeUnknown):
            await waiting
    await superuser.close()
    assert await rows(town) == []
    assert len(town.city.search_committer._unknown) == 1
    assert await jobs._reconciled(town.city) == 0
    assert town.city.search_committer._unknown == []


async def test_what_was_recorded_after_all_is_marked_as_not_delivered(town: TestCity) -> None:
    await merchant(town)
    found = await search(town, await ready(town))
    gone = Lost(0, town.city.clock.now_us(), (found.search,))
    town.city.search_committer._unknown.append(gone)
    assert await jobs._reconciled(town.city) == 1
    marked = await town.owner.fetch("SELECT search FROM search_undelivered")
    assert [row["search"] for row in marked] == [found.search]
