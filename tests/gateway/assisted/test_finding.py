"""A returning person is found where a consent stands; "none" and "unknown" are one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from gateway.assisted.finding import DESK_BACK, DESK_MISSES, PARTY_MISSES, Shown
from gateway.assisted.recording import Said
from gateway.clock import HOUR_US
from gateway.edge.problems import problem_bytes
from gateway.errors import Forbidden, GatewayError, Malformed, NotFound, TooManyRequests
from gateway.store.database import Connection, Database
from tests.gateway.assisted.desk import CARD, Desk, acts
from tests.gateway.city import TestCity


@pytest.fixture
async def desk(town: TestCity) -> Desk:
    await town.party()
    return Desk(town)


async def test_a_desk_of_no_such_party_finds_nobody(town: TestCity, desk: Desk) -> None:
    await desk.record()
    with pytest.raises(Forbidden):
        await Desk(town, "nobody").find()
    with pytest.raises(Forbidden):
        await desk.find(scenario="library")
    with pytest.raises(NotFound):
        await desk.find(scenario="no-such")
    finding = town.city.assisted.finding
    with pytest.raises(Malformed):
        await finding.find(desk.attendant, "rent", Shown(CARD, "123"))


async def test_who_consented_is_found_again_and_sees_it(town: TestCity, desk: Desk) -> None:
    await desk.record(said=Said(consent=True))
    assert (await desk.find()).person
    citizen = await desk.citizen()
    assert await acts(town) == ["enrolment", "consent", "found"]
    page = await town.city.lookups.page(citizen, None, 10)
    newest: Any = page.lines[0]
    assert (newest.act, newest.staff, newest.place) == ("found", "示例员工1", "一号柜台")


async def test_a_consent_to_another_party_or_scenario_finds_nobody_here(
    town: TestCity, desk: Desk
) -> None:
    await town.party("rival", scenarios=["rent", "library"], entity="rival-house")
    rival = Desk(town, "rival", staff=2)
    await rival.record(said=Said(consent=True))
    with pytest.raises(NotFound):
        await desk.find()
    with pytest.raises(NotFound):
        await rival.find(scenario="library")
    await rival.find()


async def test_parties_that_act_for_one_recipient_share_its_consents(
    town: TestCity, desk: Desk
) -> None:
    await town.party("branch", entity="branch-house", recipient="rent-a-bike")
    await desk.record()
    assert (await Desk(town, "branch", staff=2).find()).person


@pytest.mark.parametrize("ended", ["withdrawn", "paused", "expired"])
async def test_where_the_consent_does_not_stand_nobody_is_found(
    town: TestCity, desk: Desk, ended: str
) -> None:
    await desk.record()
    citizen = await desk.citizen()
    (held,), _ = await town.city.consents.held(citizen)
    if ended == "withdrawn":
        await town.city.consents.withdraw(citizen, held.consent.id)
    elif ended == "paused":
        await town.city.consents.pause(citizen, held.consent.id)
    else:
        now_us = town.city.clock.now_us()
        await town.consent(
            citizen, consent=held.consent.id, version=2, from_us=now_us - HOUR_US, to_us=now_us
        )
    with pytest.raises(NotFound):
        await desk.find()


async def test_none_and_unknown_are_one_answer_with_the_same_work(
    town: TestCity, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.record(1, said=Said(score=True))  # known, and consented to nobody
    await desk.record(2)
    citizen = await desk.citizen(2)
    (held,), _ = await town.city.consents.held(citizen)
    await town.city.consents.withdraw(citizen, held.consent.id)  # consented once
    for look in (desk.find, desk.withdraw):
        answers, works = [], []
        for number in (1, 2, 3):
            with _statements(monkeypatch) as seen:
                with pytest.raises(GatewayError) as refused:
                    await look(number=number)
            answers.append(problem_bytes(refused.value))
            works.append(seen)
        assert answers[0] == answers[1] == answers[2]
        assert works[0] == works[1] == works[2]
        assert len(works[0]) > 5, "statements were seen"
    assert "found" not in await acts(town)


@contextmanager
def _statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All statements that are sent to PostgreSQL meanwhile."""
    before, seen = Database.connection, []

    def note(record: Any) -> None:
        seen.append(record.query)

    @asynccontextmanager
    async def watched(database: Database) -> AsyncIterator[Connection]:
        async with before(database) as connection:
            with connection.query_logger(note):
                yield connection

    with monkeypatch.context() as patch:
        patch.setattr(Database, "connection", watched)
        yield seen


async def test_a_desk_that_tries_numbers_is_stopped_and_one_that_finds_is_not(
    town: TestCity, desk: Desk
) -> None:
    await desk.record(1)
    for _ in range(DESK_MISSES.burst + 1):
        await desk.find(1)
    for number in range(2, 2 + DESK_MISSES.burst):
        with pytest.raises(NotFound):
            await desk.find(number)
    with pytest.raises(TooManyRequests) as refused:
        await desk.find(99)
    assert 0 < refused.value.retry_after_s <= DESK_MISSES.interval_us // 1_000_000
    with pytest.raises(TooManyRequests):
        await desk.find(1)
    # Whoever comes to take back is served all the same.
    await desk.withdraw("consent", 1)


async def test_taking_back_is_kept_from_nobody_for_longer_than_a_minute(
    town: TestCity, desk: Desk
) -> None:
    await desk.record(1)
    for _ in range(DESK_BACK.burst):
        with pytest.raises(NotFound):
            await desk.withdraw("consent", 99)
    with pytest.raises(TooManyRequests) as refused:
        await desk.withdraw("consent", 99)
    assert 0 < refused.value.retry_after_s <= 60
    await desk.find(1)  # and looking up is no part of it
    await town.owner.execute("UPDATE miss SET full_at_us = full_at_us - 60000000")
    await desk.withdraw("consent", 1)
    await desk.withdraw("commitment", 1)


async def test_all_desks_of_a_party_together_are_stopped_as_well(
    town: TestCity, desk: Desk
) -> None:
    await town.party("rival", entity="rival-house")
    tried = 0
    for staff in range(1, 20):
        try:
            for _ in range(DESK_MISSES.burst):
                tried += 1
                with pytest.raises(NotFound):
                    await Desk(town, staff=staff).find(50)
        except TooManyRequests:
            break
    assert tried == PARTY_MISSES.burst + 1
    with pytest.raises(NotFound):  # another party's count is its own
        await Desk(town, "rival", staff=77).find(50)


async def test_what_was_tried_counts_at_every_worker(
    town: TestCity, other_worker: TestCity, desk: Desk
) -> None:
    await other_worker.city.parties.refresh(force=True)
    desks = (desk, Desk(other_worker))
    for number in range(DESK_MISSES.burst):
        with pytest.raises(NotFound):
            await desks[number % 2].find(number + 1)
    for each in desks:
        with pytest.raises(TooManyRequests):
            await each.find(40)


async def test_no_number_and_no_name_is_in_any_row_of_the_acts(town: TestCity, desk: Desk) -> None:
    await desk.record()
    await desk.find()
    rows = await town.owner.fetch("SELECT a::text FROM assisted_act AS a")
    told = " ".join(row[0] for row in rows)
    document = desk.document()
    for secret in (document.id_number, document.name, document.birthdate):
        assert secret not in told


async def test_a_document_does_not_show_itself(desk: Desk) -> None:
    document = desk.document()
    for each in (document, Shown(CARD, document.id_number), desk.visit()):
        assert document.id_number not in repr(each)
        assert document.name not in repr(each)
