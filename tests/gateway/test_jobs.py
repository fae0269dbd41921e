"""What happens beside the requests: expiry, forgetting, the mark against probing, the loops."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway import jobs
from gateway.city import City
from gateway.clock import DAY_US, HOUR_US, SECOND_US, shanghai_midnight_after
from gateway.consent_requests import Asked
from gateway.errors import DependencyDown
from gateway.jobs import Job
from gateway.probing import NEWEST, STRETCH_US, ProbeWatch
from gateway.store import housekeeping
from gateway.store.sql import read_queries
from scenarios.contract import Outcome
from tests.gateway.city import TestCity
from tests.gateway.searching import search

# ------------------------------------------------------------------ probing


def watch(town: TestCity, most: int = 3) -> ProbeWatch:
    city = town.city
    return ProbeWatch(city.database, city.writer, city.clock, most=most)


def deposit(town: TestCity, fen: int) -> dict[str, Any]:
    """The example facts with another amount; the time is written once, or facts would differ."""
    example = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    return {**example, "deposit_fen": fen}


async def test_many_amounts_of_one_recipient_turn_its_further_questions_away(
    town: TestCity,
) -> None:
    await town.party()
    rival = await town.party("rival", entity="rival-house")
    citizen, other = await town.ready(), await town.ready()
    await town.consent(citizen, recipient="rival-house")
    for fen in (100, 200, 300, 400):
        assert (await town.ask(citizen, facts=deposit(town, fen))).outcome is Outcome.ELIGIBLE
    assert await watch(town).step() == 1
    answer = await town.ask(citizen, facts=deposit(town, 100))
    assert answer.outcome is Outcome.STANDARD_PATH
    assert (await town.ask(citizen, rival)).outcome is Outcome.ELIGIBLE
    assert (await town.ask(other)).outcome is Outcome.ELIGIBLE
    until = await town.owner.fetchval("SELECT to_us(until_at) FROM probe_mark")
    assert until == shanghai_midnight_after(town.city.clock.now_us())


async def test_asking_the_same_again_is_no_probing(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    facts = deposit(town, 100)
    for _ in range(5):
        await town.ask(citizen, facts=facts)
    await town.ask(citizen, facts=deposit(town, 200))
    assert await watch(town).step() == 0


async def test_two_parties_of_one_recipient_count_together(town: TestCity) -> None:
    await town.party()
    second = await town.party("second-shop")
    citizen = await town.ready()
    for number, principal in enumerate([town.principal(), second] * 2):
        await town.ask(citizen, principal, facts=deposit(town, 100 + number))
    assert await watch(town).step() == 1


async def test_a_flood_of_questions_about_one_citizen_costs_the_watch_a_bounded_look(
    town: TestCity,
) -> None:
    # Else the look runs into its timeout, again and again, and nobody's probing is seen any more.
    await town.party()
    flooded, probed = await town.ready(), await town.ready()
    await town.ask(flooded)
    await town.owner.execute(_FLOOD, 3 * NEWEST)
    await town.owner.execute("ANALYZE decision")
    statement = "EXPLAIN (ANALYZE, FORMAT JSON) " + read_queries("probe")["probing"]
    plan = await town.owner.fetchval(statement, [flooded], 3, NEWEST)
    assert _most_rows(msgspec.json.decode(plan)[0]["Plan"]) <= NEWEST
    for fen in (100, 200, 300, 400):
        await town.ask(probed, facts=deposit(town, fen))
    assert await watch(town).step() == 1


#: The one answer there is, so many times again.
_FLOOD = """
INSERT INTO decision
SELECT overlay(d.id::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid, at_us, received_us,
       party, party_revision, policy, citizen, standing_version, consent, consent_version, outcome,
       clauses, since_us, until_us, valid_until_us, score_as_of, facts_hash, staff, reference, NULL,
       receipt
  FROM decision AS d, generate_series(1, $1::integer) AS n
"""


def _most_rows(plan: dict[str, Any], table: str = "decision") -> float:
    """The most rows of a table that any step of a plan read."""
    reads = plan.get("Relation Name", "").startswith(table)
    own: float = plan["Actual Rows"] * plan["Actual Loops"] if reads else 0
    return max([own, *(_most_rows(step, table) for step in plan.get("Plans", []))])


async def test_searches_count_as_questions_do_and_a_mark_ends_both(town: TestCity) -> None:
    await town.party(scenarios=("rent", "library"))
    citizen = await town.ready()
    for fen in (100, 200):
        assert (await search(town, citizen, facts=deposit(town, fen))).scenarios == ("rent",)
        assert await watch(town).step() == 0
    await town.ask(citizen, facts=deposit(town, 300))
    assert await watch(town).step() == 0
    await town.ask(citizen, facts=deposit(town, 400))
    assert await watch(town).step() == 1
    assert (await search(town, citizen, facts=deposit(town, 100))).scenarios == ()
    assert (await town.ask(citizen, facts=deposit(town, 100))).outcome is Outcome.STANDARD_PATH


async def test_searches_alone_are_probing_enough_whatever_they_found(town: TestCity) -> None:
    await town.party()
    rival = await town.party("rival", entity="rival-house")
    citizen = await town.citizen()
    await town.consent(citizen, recipient="rival-house")
    await town.commitment(citizen)
    for fen in range(1, 5):
        assert (await search(town, citizen, facts=deposit(town, fen))).scenarios == ()
    assert await watch(town).step() == 1
    assert (await search(town, citizen, rival)).scenarios == ("rent",)


async def test_searching_the_same_again_is_no_probing(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    for number in range(6):
        # What no scenario declares is no fact, and no other question.
        facts = deposit(town, 100) | {"time": number}
        await search(town, citizen, facts=facts | {"due_at": "2030-01-01T00:00:00Z"})
    assert await watch(town).step() == 0


async def test_a_flood_of_searches_costs_the_watch_a_bounded_look(town: TestCity) -> None:
    await town.party()
    flooded, probed = await town.ready(), await town.ready()
    await search(town, flooded)
    await town.owner.execute(_SEARCH_FLOOD, 3 * NEWEST)
    await town.owner.execute("ANALYZE search")
    statement = "EXPLAIN (ANALYZE, FORMAT JSON) " + read_queries("probe")["probing"]
    plan = await town.owner.fetchval(statement, [flooded], 3, NEWEST)
    assert _most_rows(msgspec.json.decode(plan)[0]["Plan"], "search") <= NEWEST
    for fen in (100, 200, 300, 400):
        await search(town, probed, facts=deposit(town, fen))
    assert await watch(town).step() == 1


#: The one search there is, so many times again.
_SEARCH_FLOOD = """
INSERT INTO search
SELECT overlay(id::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid, at_us, received_us,
       party, party_revision, sector, citizen, standing_version, evaluated, found, consents,
       consent_versions, since_us, until_us, valid_until_us, score_as_of, facts_hash, staff,
       reference, receipt
  FROM search, generate_series(1, $1::integer) AS n
"""


async def test_a_mark_is_made_once_and_by_whoever_looks_first(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    for fen in range(1, 6):
        await town.ask(citizen, facts=deposit(town, fen))
    made = await asyncio.gather(*(watch(town).step() for _ in range(3)))
    assert sum(made) >= 1
    assert await watch(town).step() == 0
    assert await town.owner.fetchval("SELECT count(*) FROM probe_mark") == 1


async def test_nobody_by_that_name_is_not_marked(town: TestCity) -> None:
    await town.party()
    for fen in range(1, 6):
        await town.ask(UUID(int=7), facts=deposit(town, fen))
    assert await watch(town).step() == 0


async def test_yesterdays_questions_do_not_count(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    for fen in range(1, 6):
        await town.ask(citizen, facts=deposit(town, fen))
    for row in await town.owner.fetch("SELECT id FROM decision ORDER BY id LIMIT 3"):
        moved = town.city.ids.uuid7(town.city.clock.now_us() - DAY_US)
        await town.owner.execute("UPDATE decision SET id = $2 WHERE id = $1", row["id"], moved)
    assert await watch(town).step() == 0


async def test_after_an_outage_the_watch_catches_up_in_bounded_looks(town: TestCity) -> None:
    await town.party()
    late = watch(town)
    late._looked_us -= 5 * STRETCH_US
    citizen = await town.ready()
    for fen in range(1, 6):
        await town.ask(citizen, facts=deposit(town, fen))
    looks = [await late.step() for _ in range(7)]
    assert sum(looks) == 1
    assert looks[0] == 0


# ------------------------------------------------------------------ expiry


async def test_an_expired_request_is_said_so_once_to_the_one_who_asked(town: TestCity) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    for number in range(3):
        await _ask(town, f"r-{number}")
    await town.owner.execute(
        "UPDATE consent_request SET expires_at = clock_timestamp() WHERE out_request_no <> 'r-2'"
    )
    assert [await jobs.expire_requests(town.city) for _ in range(2)] == [2, 0]
    states = await town.owner.fetch(
        "SELECT out_request_no, status FROM consent_request ORDER BY out_request_no"
    )
    assert [row["status"] for row in states] == ["expired", "expired", "pending"]
    assert await _told(town) == [("consent.expired", "r-0"), ("consent.expired", "r-1")]


async def test_an_ended_consent_is_said_so_once_and_answers_nothing(town: TestCity) -> None:
    await town.party(webhook_url="https://shop.example/hook")
    citizen = await town.citizen()
    await town.commitment(citizen)
    ends = town.city.clock.now_us() + SECOND_US // 2
    ended = await town.consent(citizen, to_us=ends)
    running = await town.consent(await town.citizen())
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    await asyncio.sleep(0.5)
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH  # time needs no job
    assert [await jobs.expire_consents(town.city) for _ in range(2)] == [1, 0]
    newest = await town.owner.fetch(
        "SELECT DISTINCT ON (id) id, version, status FROM consent ORDER BY id, version DESC"
    )
    assert {row["id"]: (row["version"], row["status"]) for row in newest} == {
        ended: (2, "expired"),
        running: (1, "active"),
    }
    assert await _told(town) == [("consent.expired", None)]
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_a_withdrawn_consent_does_not_expire(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    now = town.city.clock.now_us()
    ended: dict[str, Any] = {"from_us": now - 2 * HOUR_US, "to_us": now - HOUR_US}
    consent = await town.consent(citizen, **ended)
    await town.consent(citizen, consent=consent, version=2, status="withdrawn", **ended)
    assert await jobs.expire_consents(town.city) == 0


async def _ask(town: TestCity, number: str) -> None:
    asked = Asked(scenario="rent", purpose="deposit_free_rental", out_request_no=number)
    await town.city.consent_requests.ask(town.principal(), asked)


async def _told(town: TestCity) -> list[tuple[str, str | None]]:
    rows = await town.owner.fetch("SELECT type, payload FROM webhook_message")
    said = [(row["type"], msgspec.json.decode(row["payload"])["data"]) for row in rows]
    return sorted((kind, data.get("out_request_no")) for kind, data in said)


# ------------------------------------------------------------------ forgetting

OLD_AND_NEW = {
    "idempotency": (
        "INSERT INTO idempotency (principal, key, body_hash, at) VALUES ('party:1', $1, '', $2)",
        timedelta(hours=24),
    ),
    "decision_request": (
        "INSERT INTO decision_request (party, request_id, body_hash, decision, at)"
        " VALUES (1, $1, '', uuidv7(), $2)",
        timedelta(hours=24),
    ),
    "assertion_used": (
        "INSERT INTO assertion_used (issuer, jti, expires) VALUES ('i', $1, $2)",
        timedelta(minutes=1),
    ),
    "dpop_used": (
        "INSERT INTO dpop_used (proof, expires) VALUES (sha256($1::text::bytea), $2)",
        timedelta(minutes=1),
    ),
    "session": (
        "INSERT INTO session (id_hash, citizen, expires_at)"
        " VALUES ($1::text::bytea, gen_random_uuid(), $2)",
        timedelta(hours=24),
    ),
    "counter_session": (
        "INSERT INTO counter_session (id_hash, staff, expires_at, idle_until)"
        " SELECT $1::text::bytea, id, $2, $2 FROM counter_staff",
        timedelta(hours=24),
    ),
    "counter_enrolment": (
        "INSERT INTO counter_enrolment (token_hash, staff, expires_at)"
        " SELECT $1::text::bytea, id, $2 FROM counter_staff",
        timedelta(hours=24),
    ),
    "commitment_nonce": (
        "INSERT INTO commitment_nonce (nonce_hash, citizen, scenario, template, template_version,"
        " text_sha256, expires_at) VALUES ($1::text::bytea, gen_random_uuid(), 's', 't', '1',"
        " sha256('x'), $2)",
        timedelta(hours=24),
    ),
    "consent_use": (
        "INSERT INTO consent_use VALUES (gen_random_uuid(), $2::timestamptz::date, 1,"
        " length($1::text))",
        timedelta(days=3),
    ),
    "citizen_limit": (
        "INSERT INTO citizen_limit VALUES (gen_random_uuid(), $1::text, $2)",
        timedelta(hours=24),
    ),
    "probe_mark": (
        "INSERT INTO probe_mark VALUES (gen_random_uuid(), length($1::text), $2)",
        timedelta(hours=24),
    ),
    "recognition_request": (
        "INSERT INTO recognition_request (id, uri_hash, party, redirect_uri, scenarios, state,"
        " code_challenge, jkt, expires_at) SELECT gen_random_uuid(), $1::text::bytea, num, '',"
        " '{}', '', '', '', $2 FROM party",
        timedelta(hours=24),
    ),
    "visit_attempt": (
        "INSERT INTO visit_attempt (id_hash, home, scenarios, jkt, state_hash, verifier,"
        " expires_at) VALUES ($1::text::bytea, '330200', '{}', '', $1::text::bytea, '', $2)",
        timedelta(minutes=1),
    ),
    "visit_token": (
        "INSERT INTO visit_token (token_hash, citizen, visit, jkt, expires_at)"
        " VALUES ($1::text::bytea, gen_random_uuid(), gen_random_uuid(), '', $2)",
        timedelta(minutes=1),
    ),
    "visit": (
        "INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band,"
        " scenarios, as_of, home_consent, policy, status_uri, status_idx, number, ended_on,"
        " reason) SELECT gen_random_uuid(), gen_random_uuid(), num, $1::text, 'example', 1, 'T', 1,"
        " '{}', '2026-01-01', gen_random_uuid(), '', '', 0, 1, $2::timestamptz::date, 'x'"
        " FROM issuer",
        timedelta(days=31),
    ),
    "recognition_refusal": (
        "INSERT INTO recognition_refusal (minute, place, city, reason) VALUES ($2, 'par', '', $1)",
        timedelta(days=30),
    ),
    "credit_code": (
        "INSERT INTO credit_code (code_hash, citizen, session, expires_at)"
        " VALUES (sha256($1::text::bytea), gen_random_uuid(), '', $2)",
        timedelta(minutes=15),
    ),
    "miss": ("INSERT INTO miss VALUES ($1, to_us($2))", timedelta(minutes=1)),
}


#: What is forgotten by rules of its own, each with a test of its own.
OTHERWISE = {"messages", "visitor_sessions"}


async def test_rows_past_their_period_are_forgotten_and_others_are_not(town: TestCity) -> None:
    await town.party()
    await town.owner.execute(
        "INSERT INTO counter_staff (id, party, login, name)"
        " SELECT gen_random_uuid(), num, 'li.na', '李娜' FROM party"
    )
    await town.owner.execute(
        "INSERT INTO issuer (code) VALUES ('330200');"
        "INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)"
        " VALUES ('example', 1, '2026-01-01', '', sha256(''))"
    )
    now = await town.owner.fetchval("SELECT clock_timestamp()")
    for statement, period in OLD_AND_NEW.values():
        for number in range(3):
            past = now - period - timedelta(seconds=5)
            await town.owner.execute(statement, f"old-{number}", past)
        await town.owner.execute(statement, "young", now - timedelta(seconds=30))
    assert await jobs.purge(town.city) == 3
    for table in OLD_AND_NEW:
        assert await town.owner.fetchval(f"SELECT count(*) FROM {table}") == 1, table
    assert await jobs.purge(town.city) == 0


async def test_messages_are_kept_until_they_are_settled_and_a_month_old(town: TestCity) -> None:
    await town.party()
    for name, days, settled in (("a", 31, True), ("b", 31, False), ("c", 1, True)):
        await town.owner.execute(
            "INSERT INTO webhook_message (id, party, type, payload, created_at, delivered_at)"
            " SELECT $1, num, 't', '{}', clock_timestamp() - make_interval(days => $2),"
            " CASE WHEN $3 THEN clock_timestamp() END FROM party",
            *(name, days, settled),
        )
    await jobs.purge(town.city)
    left = await town.owner.fetch("SELECT id FROM webhook_message ORDER BY id")
    assert [row["id"] for row in left] == ["b", "c"]


async def test_forgetting_is_bounded(town: TestCity) -> None:
    await town.owner.execute(
        "INSERT INTO assertion_used SELECT 'i', n::text, clock_timestamp() - interval '1 hour'"
        " FROM generate_series(1, 25) AS n"
    )
    async with town.city.database.connection() as connection:
        done = [await housekeeping.forget(connection, "assertions", 10) for _ in range(4)]
    assert done == [10, 10, 5, 0]


async def test_promises_and_answers_are_never_forgotten() -> None:
    kept = {"consents", "consent", "decision", "decision_facts", "commitment", "staff_access"}
    kept |= {"search", "search_facts", "search_undelivered"}
    assert not kept & set(housekeeping.FORGETTING)
    assert len(housekeeping.FORGETTING) == len(OLD_AND_NEW) + len(OTHERWISE)


async def test_the_months_ahead_are_there(town: TestCity) -> None:
    async with town.city.database.connection() as connection:
        assert await housekeeping.month_ahead(connection)
    assert await jobs.watch_partitions(town.city) == 0


# ------------------------------------------------------------------ the loops


async def until_true(condition: Any, tries: int = 200) -> None:
    for _ in range(tries):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def test_a_failing_step_never_ends_its_loop(
    town: TestCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    async def fails(_city: City) -> int:
        calls.append("fails")
        raise DependencyDown("database")

    async def works(_city: City) -> int:
        calls.append("works")
        return 0

    def two(_city: City) -> tuple[Job, ...]:
        return Job("fails", 0.01, fails), Job("works", 0.01, works)

    monkeypatch.setattr(jobs, "jobs", two)
    stop = asyncio.Event()
    running = asyncio.create_task(jobs.run_jobs(town.city, stop))
    await until_true(lambda: calls.count("fails") > 3 and calls.count("works") > 3)
    stop.set()
    await asyncio.wait_for(running, 1)


async def test_a_full_step_is_followed_at_once(town: TestCity) -> None:
    left = [5, 5, 2]

    async def work(_city: City) -> int:
        return left.pop(0) if left else 0

    stop = asyncio.Event()
    job = Job("work", 60, work, full=5)
    running = asyncio.create_task(jobs._repeat(job, town.city, stop))
    await until_true(lambda: not left)
    stop.set()
    await asyncio.wait_for(running, 1)


async def test_every_job_runs_on_an_empty_city(town: TestCity) -> None:
    for job in jobs.jobs(town.city):
        assert await job.step(town.city) == 0, job.name


async def test_a_worker_learns_of_a_new_party_by_itself(town: TestCity) -> None:
    async with jobs.ticking(town.city):
        await town.owner.execute(
            "INSERT INTO legal_entity (id, name, contact) VALUES ('new-house', 'n', 'c')"
        )
        await town.owner.execute(
            "INSERT INTO party (id, entity, kind, name) VALUES ('new-shop', 'new-house',"
            " 'merchant', 'n')"
        )
        await until_true(lambda: town.city.parties.get("new-shop") is not None, 300)
