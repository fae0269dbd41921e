"""No answer about a visitor rests on a word of the home city that is no longer fresh."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from scenarios.contract import Outcome
from scenarios.universal import RECOGNISED
from tests.adversity import sabotage
from tests.gateway.city import TestCity
from tests.gateway.recognition.visitors import FRESH_S, STALE_S, Visitors
from tests.gateway.searching import search

ELIGIBLE, ORDINARY = Outcome.ELIGIBLE, Outcome.STANDARD_PATH


async def answered(town: TestCity, citizen: UUID) -> Outcome:
    return (await town.ask(citizen)).outcome


async def a_stale_word_means_the_ordinary_way(visitors: Visitors) -> None:
    """The law itself, which the negative controls must break."""
    issuer = await visitors.issuer()
    citizen = await visitors.ready(issuer)
    assert await answered(visitors.town, citizen) is ELIGIBLE
    await visitors.heard(issuer, fresh_s=STALE_S)
    assert await answered(visitors.town, citizen) is ORDINARY
    await visitors.heard(issuer, fresh_s=FRESH_S)
    assert await answered(visitors.town, citizen) is ELIGIBLE


async def test_a_stale_word_means_the_ordinary_way(visitors: Visitors) -> None:
    await a_stale_word_means_the_ordinary_way(visitors)
    met = [
        row["clauses"] for row in await visitors.town.owner.fetch("SELECT clauses FROM decision")
    ]
    assert [bool(each & RECOGNISED) for each in sorted(met)] == [False, True, True]
    # Nothing else is unmet: the visitor reads why.
    assert {each | RECOGNISED for each in met} == {max(met)}


async def test_without_the_predicate_in_the_commit_the_law_is_broken(visitors: Visitors) -> None:
    visitors.town.city.committer.__class__ = sabotage.CredulousCommitter
    with pytest.raises(AssertionError):
        await a_stale_word_means_the_ordinary_way(visitors)


async def test_a_city_never_heard_of_is_stale(visitors: Visitors) -> None:
    number = await visitors.town.owner.fetchval(
        "INSERT INTO issuer (code) VALUES ('330200') RETURNING num"
    )
    citizen = await visitors.ready(number)
    assert await answered(visitors.town, citizen) is ORDINARY


async def test_other_cities_and_citizens_of_this_one_do_not_notice(visitors: Visitors) -> None:
    silent, heard = await visitors.issuer(fresh_s=STALE_S), await visitors.issuer("320500")
    theirs, others = await visitors.ready(silent), await visitors.ready(heard)
    own = await visitors.town.ready()
    for _ in range(2):
        assert await answered(visitors.town, theirs) is ORDINARY
        assert await answered(visitors.town, others) is ELIGIBLE
        assert await answered(visitors.town, own) is ELIGIBLE


async def test_a_wrong_guess_costs_one_try_and_the_next_questions_none(visitors: Visitors) -> None:
    town, issuer = visitors.town, await visitors.issuer(fresh_s=STALE_S)
    citizen = await visitors.ready(issuer)
    counts = town.city.counts
    assert [await answered(town, citizen) for _ in range(3)] == [ORDINARY] * 3
    assert (counts.stale_checks["issuer",], counts.decisions_retried[()]) == (1, 1)
    await visitors.heard(issuer, fresh_s=FRESH_S)
    assert [await answered(town, citizen) for _ in range(3)] == [ELIGIBLE] * 3
    assert (counts.stale_checks["issuer",], counts.decisions_retried[()]) == (2, 2)
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 6


async def test_every_record_agrees_with_the_clock_while_the_word_grows_stale(
    visitors: Visitors, other_worker: TestCity
) -> None:
    issuer = await visitors.issuer()
    crowd = [await visitors.ready(issuer) for _ in range(4)]
    await other_worker.city.parties.refresh(force=True)
    await visitors.heard(issuer, fresh_s=0.4)
    ends = asyncio.get_running_loop().time() + 0.8

    async def keep_asking(worker: TestCity, citizen: UUID) -> None:
        while asyncio.get_running_loop().time() < ends:
            await worker.ask(citizen)
            await asyncio.sleep(0.005)  # within the party's own limit

    workers = visitors.town, other_worker
    await asyncio.gather(*(keep_asking(worker, each) for worker in workers for each in crowd))
    rows = await visitors.town.owner.fetch(
        "SELECT d.outcome, d.clauses, from_us(d.at_us) < i.fresh_until AS fresh"
        "  FROM decision AS d JOIN standing AS s USING (citizen)"
        "  JOIN issuer AS i ON i.num = s.issuer"
    )
    assert {row["fresh"] for row in rows} == {True, False}
    for row in rows:
        assert bool(row["clauses"] & RECOGNISED) is row["fresh"]
        assert (row["outcome"] == ELIGIBLE) is row["fresh"]


async def test_a_saved_answer_is_repeated_only_while_the_word_is_as_it_was(
    visitors: Visitors,
) -> None:
    town, issuer = visitors.town, await visitors.issuer()
    citizen = await visitors.ready(issuer)

    async def repeated() -> tuple[UUID, Outcome]:
        answer = await town.ask(citizen, request_id="r-1", body_hash=b"same")
        return answer.decision, answer.outcome

    first = await repeated()
    assert (await repeated(), first[1]) == (first, ELIGIBLE)
    await visitors.heard(issuer, fresh_s=STALE_S)
    second = await repeated()
    assert (second[1], await repeated()) == (ORDINARY, second)
    await visitors.heard(issuer, fresh_s=FRESH_S)
    third = await repeated()
    assert third[1] is ELIGIBLE
    assert third[0] not in (first[0], second[0])
    rows = await town.owner.fetch("SELECT id, repeat_of FROM decision")
    links = {row["id"]: row["repeat_of"] for row in rows}
    assert links == {first[0]: None, second[0]: first[0], third[0]: second[0]}


async def test_a_wrong_guess_spends_none_of_the_questions_that_a_consent_allows(
    visitors: Visitors,
) -> None:
    town, issuer = visitors.town, await visitors.issuer(fresh_s=STALE_S)
    citizen = await visitors.arrived(issuer)
    await visitors.visit(citizen)
    await town.commitment(citizen)
    await town.consent(citizen, frequency=1)
    assert await answered(town, citizen) is ORDINARY
    # As for anybody: one record, one use, though it took two tries.
    assert town.city.counts.stale_checks["issuer",] == 1
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 1
    assert await town.owner.fetchval("SELECT sum(uses) FROM consent_use") == 1


async def a_stale_word_finds_nothing(visitors: Visitors) -> None:
    town, issuer = visitors.town, await visitors.issuer()
    citizen = await visitors.ready(issuer)
    await visitors.allow(citizen, "library")
    assert (await search(town, citizen)).scenarios == ("library", "rent")
    await visitors.heard(issuer, fresh_s=STALE_S)
    assert (await search(town, citizen)).scenarios == ()
    assert (await search(town, citizen)).scenarios == ()
    await visitors.heard(issuer, fresh_s=FRESH_S)
    assert (await search(town, citizen)).scenarios == ("library", "rent")


async def test_a_search_by_a_stale_word_finds_nothing(visitors: Visitors) -> None:
    await a_stale_word_finds_nothing(visitors)
    assert await visitors.town.owner.fetchval("SELECT count(*) FROM search") == 4


async def test_without_the_predicate_in_its_commit_a_search_finds_too_much(
    visitors: Visitors,
) -> None:
    visitors.town.city.search_committer.__class__ = sabotage.CredulousSearchCommitter
    with pytest.raises(AssertionError):
        await a_stale_word_finds_nothing(visitors)
