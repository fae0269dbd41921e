"""A decision is recorded and true at its commit, whatever the cache says."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec
import pytest

from gateway.body import decode_body, encode_body
from gateway.clock import MINUTE_US, SECOND_US
from gateway.decision import Answer
from gateway.errors import (
    ClientGone,
    DependencyDown,
    Forbidden,
    Overloaded,
    StillRunning,
    Unauthenticated,
)
from gateway.evidence import Record, receipt
from gateway.standing import Standing, Wanted
from gateway.store.cache import Entry
from scenarios.contract import Outcome
from tests.gateway.city import TestCity


async def test_a_consenting_committed_citizen_is_eligible(town: TestCity) -> None:
    await town.party()
    answer = await town.ask(await town.ready())
    assert answer.outcome is Outcome.ELIGIBLE
    assert answer.valid_until_us == answer.at_us + MINUTE_US


async def test_an_answer_has_exactly_one_record_whose_receipt_can_be_made_again(
    town: TestCity,
) -> None:
    await town.party()
    citizen = await town.ready()
    answer = await town.ask(citizen, staff="desk-3", reference="case/7")
    rows = await town.owner.fetch("SELECT * FROM decision")
    assert [row["id"] for row in rows] == [answer.decision]
    row = rows[0]
    fields = {name: row[name] for name in Record.__struct_fields__}
    assert receipt(Record(**fields), row["at_us"], row["valid_until_us"]) == answer.receipt
    assert row["receipt"] == answer.receipt
    assert row["citizen"] == citizen
    assert (row["staff"], row["reference"]) == ("desk-3", "case/7")


async def test_the_facts_of_a_decision_are_sealed_under_the_persons_key(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    answer = await town.ask(citizen)
    sealed = await town.owner.fetchval("SELECT sealed FROM decision_facts")
    wrapped = await town.owner.fetchval("SELECT wrapped_key FROM citizen WHERE id = $1", citizen)
    seal = town.city.vault.person(wrapped, citizen)
    facts = msgspec.json.decode(seal.open(sealed, b"decision_facts/" + answer.decision.bytes))
    assert facts["deposit_fen"] == town.city.registry["rent"].manifest.example["deposit_fen"]
    assert b"deposit_fen" not in sealed


@pytest.mark.parametrize("missing", ["consent", "commitment", "score", "everything"])
async def test_what_concerns_the_citizen_reads_standard_path(town: TestCity, missing: str) -> None:
    await town.party()
    citizen = await town.citizen(band=0 if missing in ("score", "everything") else 4)
    if missing not in ("consent", "everything"):
        await town.consent(citizen)
    if missing not in ("commitment", "everything"):
        await town.commitment(citizen)
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_a_name_that_opens_to_nobody_is_answered_and_recorded_alike(town: TestCity) -> None:
    await town.party()
    nobody = UUID(int=7)
    answer = await town.ask(nobody)
    assert answer.outcome is Outcome.STANDARD_PATH
    row = await town.owner.fetchrow("SELECT * FROM decision")
    assert row is not None
    assert (row["citizen"], row["standing_version"]) == (nobody, 0)
    assert await town.owner.fetchval("SELECT count(*) FROM decision_facts") == 1


async def test_nobody_is_checked_at_the_commit_too(town: TestCity) -> None:
    """A cache that says "nobody" about a living citizen changes nothing (property G)."""
    await town.party()
    citizen = await town.ready()
    cache = town.city.cache
    entry = cache.key(citizen), b"not an entry at all"
    await cache.put(*entry, 60)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_a_withdrawn_consent_is_seen_though_another_workers_cache_is_cut_off(
    town: TestCity, other_worker: TestCity
) -> None:
    principal = await town.party()
    await other_worker.city.parties.refresh()
    citizen = await town.ready()
    assert (await other_worker.ask(citizen, principal)).outcome is Outcome.ELIGIBLE
    old = await town.city.cache.get([town.city.cache.key(citizen)])
    consent = await town.owner.fetchval("SELECT id FROM consent WHERE citizen = $1", citizen)
    await town.consent(citizen, consent=consent, version=2, status="withdrawn")
    assert old[0] is not None
    await town.city.cache.put(town.city.cache.key(citizen), old[0], 60)  # an old dump returns
    assert (await other_worker.ask(citizen, principal)).outcome is Outcome.STANDARD_PATH


async def test_a_proven_wrong_cache_entry_is_replaced(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    cache, key = town.city.cache, town.city.cache.key(citizen)
    (held,) = await cache.get([key])
    assert held is not None
    poison = held[:26] + b"\x7f" + b"\xff" * 7 + held[34:]  # a version from the far future
    await cache.put(key, poison, 60)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    for _ in range(50):
        (healed,) = await cache.get([key])
        if healed == held:
            break
        await asyncio.sleep(0.01)
    assert healed == held


async def test_a_suspended_party_is_refused_by_the_commit_though_memory_is_old(
    town: TestCity,
) -> None:
    principal = await town.party()
    citizen = await town.ready()
    await town.owner.execute("UPDATE party SET status = 'suspended'")
    with pytest.raises(Forbidden):
        await town.ask(citizen, principal)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_revoked_client_key_kills_its_tokens_at_the_commit(town: TestCity) -> None:
    principal = await town.party()
    citizen = await town.ready()
    await town.owner.execute("UPDATE party_key SET revoked_at = clock_timestamp()")
    with pytest.raises(Unauthenticated):
        await town.ask(citizen, principal)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_harmless_change_of_the_party_costs_a_second_try_only(town: TestCity) -> None:
    principal = await town.party()
    citizen = await town.ready()
    await town.owner.execute(
        "INSERT INTO party_key (party, kid, jwk) SELECT num, 'k2', '{}' FROM party"
    )
    assert (await town.ask(citizen, principal)).outcome is Outcome.ELIGIBLE


async def test_a_retired_policy_answers_nothing(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    await town.owner.execute("UPDATE policy SET live = false WHERE scenario = 'rent'")
    with pytest.raises(DependencyDown):
        await town.ask(citizen)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_consent_ends_by_the_databases_clock_not_the_workers(town: TestCity) -> None:
    """The worker's clock stands; the consent runs out meanwhile; the commit notices."""
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    now = town.city.clock.now_us()
    await town.consent(citizen, to_us=now + SECOND_US // 4)
    question = town.question(citizen)
    (standing,) = await town.city.standings.read_many([Wanted(citizen)])
    assert isinstance(standing, Standing)
    premises = town.city.decisions._proposer.usable(standing)
    await asyncio.sleep(0.3)
    proposal = town.city.decisions._proposer.propose(question, premises, now, None, used_up=False)
    assert proposal.record.outcome == Outcome.ELIGIBLE
    outcome = await town.city.committer.record(proposal, question.deadline)
    assert outcome.receipt is None
    assert outcome.standing_holds
    assert not outcome.time_holds
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_a_pause_that_ends_opens_again_without_a_new_version(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    now = town.city.clock.now_us()
    await town.consent(citizen, status="paused", paused_until_us=now + SECOND_US // 4)
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    await asyncio.sleep(0.3)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_a_party_cannot_tell_a_pause_that_ends_soon_from_no_consent_at_all(
    town: TestCity,
) -> None:
    await town.party()
    soon = town.city.clock.now_us() + 10 * SECOND_US
    pausing, yet_to_begin, ending = [await town.citizen() for _ in range(3)]
    await town.consent(pausing, status="paused", paused_until_us=soon)
    await town.consent(yet_to_begin, from_us=soon)
    await town.consent(ending, to_us=soon)  # and no commitment
    nobody = town.city.ids.random_uuid()
    for citizen in (nobody, await town.citizen(), pausing, yet_to_begin, ending):
        answer = await town.ask(citizen)
        assert answer.outcome is Outcome.STANDARD_PATH
        assert answer.valid_until_us == answer.at_us + MINUTE_US


async def test_a_yes_is_never_valid_beyond_what_it_rests_on(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    end = town.city.clock.now_us() + 10 * SECOND_US
    await town.consent(citizen, to_us=end)
    answer = await town.ask(citizen)
    assert answer.outcome is Outcome.ELIGIBLE
    assert answer.valid_until_us == end


async def test_a_frequency_of_n_makes_the_next_question_standard_path(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=3)
    outcomes = [(await town.ask(citizen)).outcome for _ in range(5)]
    assert outcomes == [Outcome.ELIGIBLE] * 3 + [Outcome.STANDARD_PATH] * 2
    assert await town.owner.fetchval("SELECT uses FROM consent_use") == 3


async def test_a_frequency_is_counted_once_however_many_ask_at_once(
    town: TestCity, other_worker: TestCity
) -> None:
    principal = await town.party()
    await other_worker.city.parties.refresh()
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=5)
    workers = [town, other_worker] * 6
    answers = await asyncio.gather(*(worker.ask(citizen, principal) for worker in workers))
    eligible = [answer for answer in answers if answer.outcome is Outcome.ELIGIBLE]
    assert len(eligible) == 5
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 12


async def test_a_question_past_its_deadline_is_never_sent(town: TestCity) -> None:
    await town.party()
    question = msgspec.structs.replace(town.question(await town.ready()), deadline=0.0)
    with pytest.raises(Overloaded):
        await town.city.decisions.decide(question)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_one_bad_row_never_fails_anothers(town: TestCity) -> None:
    """A NUL in a text makes PostgreSQL refuse the statement; the batch is split until only the
    row at fault is refused."""
    await town.party()
    citizen = await town.ready()
    questions = [
        town.question(citizen, staff="a\0b" if number == 5 else "desk") for number in range(12)
    ]
    results = await asyncio.gather(
        *(town.city.decisions.decide(question) for question in questions), return_exceptions=True
    )
    assert isinstance(results[5], DependencyDown)
    assert sum(not isinstance(result, BaseException) for result in results) == 11
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 11


async def test_questions_of_one_moment_share_one_statement(town: TestCity) -> None:
    await town.party()
    citizens = [await town.ready() for _ in range(4)]
    before = town.city.committer.batcher.batches
    await asyncio.gather(*(town.ask(citizen) for citizen in citizens * 10))
    assert town.city.committer.batcher.batches - before <= 4


async def test_the_hospital_limit_counts_what_is_already_used(town: TestCity) -> None:
    """City facts are rows: a change of one is a change of the standing."""
    await town.party("clinic", kind="hospital", scenarios=["hospital"])
    citizen = await town.ready(scenario="hospital", band=5)
    example = dict(town.city.registry["hospital"].manifest.example)
    caller = town.principal("clinic")
    assert (await town.ask(citizen, caller, scenario="hospital")).outcome is Outcome.ELIGIBLE
    async with town.city.writer.change(citizen):
        await town.owner.execute(
            "INSERT INTO medical_advance VALUES ('m1', $1, 100000000, clock_timestamp())", citizen
        )
    answer = await town.ask(citizen, caller, scenario="hospital", facts=example)
    assert answer.outcome is Outcome.STANDARD_PATH


@pytest.mark.parametrize("number", [b"\x7f" + b"\xff" * 7, b"\xff" * 8, b"\x80" + bytes(7)])
async def test_a_forged_version_number_costs_neither_the_answer_nor_the_cache(
    town: TestCity, number: bytes
) -> None:
    await town.party()
    citizen = await town.ready()
    cache, key = town.city.cache, town.city.cache.key(citizen)
    (held,) = await cache.get([key])
    assert held is not None
    await cache.put(key, held[:26] + number + held[34:], 60)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    await asyncio.sleep(0.05)  # nobody waits for a fill
    assert await cache.get([key]) == [held]


async def test_a_writer_that_waits_too_long_for_the_lock_has_changed_nothing(
    town: TestCity, other_worker: TestCity
) -> None:
    await town.party()
    citizen = await town.ready()
    async with town.city.writer.change(citizen):
        with pytest.raises(StillRunning):
            await other_worker.consent(citizen, scenario="library")
    assert await town.owner.fetchval("SELECT count(*) FROM consent") == 1


async def test_a_standing_of_an_earlier_layout_is_built_anew_when_it_is_first_asked_for(
    town: TestCity,
) -> None:
    await town.party()
    citizen = await town.ready()
    city = town.city
    key = await town.owner.fetchval("SELECT wrapped_key FROM citizen WHERE id = $1", citizen)
    version = await town.owner.fetchval("SELECT nextval('standing_version')")
    earlier = msgspec.msgpack.encode((key, 4, 0, 0, ((bytes(16), 1, 1, "rent", 0, 10, 0, 0),), ()))
    await town.owner.execute(
        "UPDATE standing SET body = $2, version = $3, digest = 1 WHERE citizen = $1",
        *(citizen, earlier, version),
    )
    await city.cache.offer([(Entry(citizen, version, earlier), b"")])
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    body = await town.owner.fetchval("SELECT body FROM standing WHERE citizen = $1", citizen)
    assert decode_body(body).living
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_questions_asked_together_get_what_each_would_have_got_alone(town: TestCity) -> None:
    await town.party()
    ready, without = await town.ready(), await town.citizen()
    spent = await town.citizen()
    await town.consent(spent, frequency=1)
    await town.commitment(spent)
    late = msgspec.structs.replace(town.question(ready), deadline=0.0)
    questions = [town.question(each) for each in (ready, without, spent, spent)]
    answers = await town.city.decisions.decide_many([*questions, late])
    outcomes = [each.outcome if isinstance(each, Answer) else type(each) for each in answers]
    assert outcomes == [
        *(Outcome.ELIGIBLE, Outcome.STANDARD_PATH, Outcome.ELIGIBLE, Outcome.STANDARD_PATH),
        Overloaded,
    ]
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 4


async def test_more_questions_than_may_wait_are_refused_one_by_one(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    town.city.decisions._first._waiting_max = 2
    answers = await town.city.decisions.decide_many([town.question(citizen) for _ in range(3)])
    assert [isinstance(each, Answer) for each in answers] == [True, True, False]
    assert isinstance(answers[2], Overloaded)


async def test_what_was_not_sent_for_an_asker_that_left_is_not_recorded(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    questions = [town.question(citizen) for _ in range(3)]
    asking = asyncio.create_task(town.city.decisions.decide_many(questions))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await town.city.decisions.settled()
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_a_band_that_there_is_not_costs_a_second_try_and_no_answer(town: TestCity) -> None:
    await town.party()
    citizen = await town.ready()
    cache, key = town.city.cache, town.city.cache.key(citizen)
    (held,) = await cache.get([key])
    assert held is not None
    entry = cache.unpack(citizen, held)
    assert entry is not None
    forged = msgspec.structs.replace(decode_body(entry.body), band=9)
    await cache.put(key, held[:34] + encode_body(forged), 60)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    await asyncio.sleep(0.05)  # nobody waits for a fill
    assert await cache.get([key]) == [held]


async def test_an_earlier_layout_that_only_the_commit_finds_is_built_anew_too(
    town: TestCity,
) -> None:
    """An old worker wrote while a new one's copy was in the cache."""
    await town.party()
    citizen = await town.ready()
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    await town.owner.execute(
        "UPDATE standing SET body = $2, version = nextval('standing_version'), digest = 1"
        " WHERE citizen = $1",
        *(citizen, msgspec.msgpack.encode((b"key", 4, 0, 0, (("old",),)))),
    )
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_nothing_more_is_sent_for_an_asker_that_is_known_to_be_gone(town: TestCity) -> None:
    await town.party()
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=3)
    attempt = town.city.decisions.begin(town.question(citizen))
    attempt.gone = True
    with pytest.raises(ClientGone):
        await town.city.decisions.finish(attempt)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0
    assert await town.owner.fetchval("SELECT count(*) FROM consent_use") == 0
