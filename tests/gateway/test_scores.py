"""Publishing scores: only what changed is written, and only where the law lets it be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.body import decode_body
from gateway.clock import SHANGHAI, FixedClock, to_us
from gateway.fact_file import Row
from gateway.fact_import import FactImport, identity_index
from gateway.identity_number import IdentityNumber
from gateway.ids import SystemIds
from gateway.local.people import person
from gateway.local.valkey import Valkey
from gateway.office import Office
from gateway.score_publication import ScorePublication
from gateway.scores import Scores, explanation, scale_on, today
from gateway.store import score as score_rows
from gateway.store.score import Fresh, Run
from gateway.vault import SealBroken
from scenarios.contract import Outcome
from scoring import NothingInForce, Rejected
from scoring.rules import FORBIDDEN
from tests.engines import Database
from tests.gateway.city import TestCity

AS_OF = date(2026, 6, 15)


class Desk:
    """A town's office: people with identity numbers, their facts, and the night's run."""

    def __init__(self, town: TestCity, office: Office) -> None:
        self.town, self.office = town, office
        self.scores = Scores(office.vault, office.clock)
        self.clock = FixedClock(to_us(datetime.combine(AS_OF, time(12), SHANGHAI)))
        self.publication = ScorePublication(office.database, office.writer, self.scores, self.clock)
        self.people: dict[UUID, str] = {}

    async def person(self, *, authorised: bool = True) -> UUID:
        """A citizen with an identity number and no facts yet."""
        citizen = self.office.ids.random_uuid()
        number = person(len(self.people) + 1).id_number
        self.people[citizen] = number
        async with self.office.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO citizen (id, identity_index, wrapped_key, synthetic)"
                " VALUES ($1, $2, $3, true)",
                citizen,
                identity_index(self.office.keys.blind_index, IdentityNumber(number)),
                self.office.vault.new_key(citizen),
            )
        if authorised:
            await self.authorise(citizen)
        return citizen

    async def authorise(
        self, citizen: UUID, status: str = "given", leave_out: Iterable[str] = ()
    ) -> None:
        """Write the next version of an authorisation, as its service would."""
        async with self.town.city.writer.change(citizen) as connection:
            await connection.execute(
                "INSERT INTO score_authorisation"
                " (citizen, version, status, notice, text_sha256, leave_out)"
                " SELECT $1, count(*) + 1, $2, '1', sha256('notice'), $3"
                "   FROM score_authorisation WHERE citizen = $1",
                citizen,
                status,
                list(leave_out),
            )

    async def facts(self, citizen: UUID, *facts: tuple[str, str, str], **changes: str) -> None:
        """Import facts (department, code, value); all must be good."""
        rows = [
            self.row(citizen, department=department, code=code, value=value, **changes)
            for department, code, value in facts
        ]
        assert await self.bring_in(rows) == []

    def row(self, citizen: UUID, **changes: object) -> Row:
        """A row about a person."""
        cells = {"effective": "2026-01-01", "source": "示例-1"} | changes
        return Row(2, {"id_number": self.people[citizen], **cells})

    async def bring_in(self, rows: Iterable[Row]) -> list[Rejected]:
        """Import rows; returns what was refused."""
        refused: list[Rejected] = []
        work = FactImport(
            self.office.database, scale_on(AS_OF).catalogue, self.office.keys.blind_index
        )
        await work.run(rows, refused.append)
        return refused

    async def publish(self, as_of: date = AS_OF) -> Run:
        """A night's run."""
        return await self.publication.run(as_of)

    async def score(self, citizen: UUID) -> int | None:
        """A citizen's score as stored."""
        score: int | None = await self.town.owner.fetchval(
            "SELECT score FROM score WHERE citizen = $1", citizen
        )
        return score

    async def versions(self) -> dict[UUID, int]:
        """The version of every standing."""
        rows = await self.town.owner.fetch("SELECT citizen, version FROM standing")
        return {row["citizen"]: row["version"] for row in rows}

    async def band(self, citizen: UUID) -> int:
        """The band that decisions read."""
        body = await self.town.owner.fetchval(
            "SELECT body FROM standing WHERE citizen = $1", citizen
        )
        return decode_body(body).band

    async def everything(self) -> list[tuple[object, ...]]:
        """All scores and standings, with the transactions that wrote them."""
        rows = await self.town.owner.fetch(
            "SELECT citizen, score, band, factors, s.xmin::text, t.version, t.xmin::text"
            "  FROM score AS s JOIN standing AS t USING (citizen) ORDER BY citizen"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def desk(town: TestCity, database: Database, valkey: Valkey) -> AsyncIterator[Desk]:
    """The office of the town."""
    clock, ids = town.city.clock, SystemIds()
    async with Office(database.owner_url, valkey.url, town.city.keys, clock, ids).open() as office:
        yield Desk(town, office)


WORKING = (
    ("human_resources", "employment_months", "24"),
    ("utilities", "months_paid_on_time", "24"),
    ("taxation", "filings_on_time", "5"),
)  # 560 + 40 + 60 + 50 = 710, the fourth band
STEP = ("credit_office", "commitments_kept", "1")  # + 5


async def test_a_run_gives_everybody_who_authorised_it_a_score_and_its_band(desk: Desk) -> None:
    plain, working = await desk.person(), await desk.person()
    await desk.facts(working, *WORKING)
    run = await desk.publish()
    assert (run.scored, run.changed, run.band_moves) == (2, 2, 2)
    assert [await desk.score(citizen) for citizen in (plain, working)] == [560, 710]
    assert [await desk.band(citizen) for citizen in (plain, working)] == [2, 4]


async def test_a_second_run_writes_nothing_but_its_own_record(desk: Desk) -> None:
    for _ in range(3):
        await desk.facts(await desk.person(), *WORKING)
    await desk.publish()
    before = await desk.everything()
    run = await desk.publish()
    assert (run.scored, run.changed, run.band_moves) == (3, 0, 0)
    assert await desk.everything() == before
    assert await desk.town.owner.fetchval("SELECT count(*) FROM publish_run") == 2


async def test_only_those_whose_band_moved_get_a_new_standing(desk: Desk) -> None:
    still, moving, untouched = [await desk.person() for _ in range(3)]
    await desk.publish()
    before = await desk.versions()
    await desk.facts(still, STEP)  # 565, still in the second band
    await desk.facts(moving, *WORKING)
    run = await desk.publish()
    after = await desk.versions()
    assert (run.scored, run.changed, run.band_moves) == (3, 2, 1)
    assert {citizen for citizen in after if after[citizen] != before[citizen]} == {moving}
    assert [await desk.score(citizen) for citizen in (still, moving, untouched)] == [565, 710, 560]


async def test_an_answer_follows_the_publication_at_once(desk: Desk) -> None:
    await desk.town.party()
    citizen = await desk.person()
    await desk.town.consent(citizen)
    await desk.town.commitment(citizen)
    await desk.publish()
    assert (await desk.town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    await desk.facts(citizen, *WORKING)
    await desk.publish()
    assert (await desk.town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_nobody_is_scored_without_an_authorisation(desk: Desk) -> None:
    silent, withdrawn = await desk.person(authorised=False), await desk.person()
    await desk.authorise(withdrawn, "withdrawn")
    run = await desk.publish()
    assert (run.scored, run.changed) == (0, 0)
    assert [await desk.score(citizen) for citizen in (silent, withdrawn)] == [None, None]


async def test_a_withdrawn_authorisation_ends_the_score_itself(desk: Desk) -> None:
    citizen, other = await desk.person(), await desk.person()
    await desk.publish()
    await desk.authorise(citizen, "withdrawn")
    assert await desk.band(citizen) == 0  # at once, for decisions
    await desk.publish()
    assert [await desk.score(one) for one in (citizen, other)] == [None, 560]


async def test_the_erased_are_not_scored(desk: Desk) -> None:
    citizen = await desk.person()
    await desk.publish()
    await desk.town.owner.execute(
        "UPDATE citizen SET erased_at = clock_timestamp(), wrapped_key = NULL"
    )
    run = await desk.publish()
    assert (run.scored, await desk.score(citizen)) == (0, None)


async def test_what_the_citizen_leaves_out_does_not_count(desk: Desk) -> None:
    citizen = await desk.person()
    await desk.facts(citizen, *WORKING, ("civil_affairs", "honour", "province"))
    await desk.publish()
    assert await desk.score(citizen) == 760
    await desk.authorise(citizen, leave_out=["honour"])
    await desk.publish()
    assert await desk.score(citizen) == 710


async def test_the_explanation_sums_to_the_score_and_opens_for_its_citizen_alone(
    desk: Desk,
) -> None:
    citizen, other = await desk.person(), await desk.person()
    await desk.facts(citizen, *WORKING)
    await desk.publish()
    async with desk.town.city.database.connection() as connection:
        found = await score_rows.held(connection, citizen, AS_OF)
        due = await score_rows.due_of(connection, [citizen, other])
    assert found is not None
    held, as_of = found
    seals = {one.citizen: desk.office.vault.person(one.wrapped_key, one.citizen) for one in due}
    told = explanation(held, citizen, seals[citizen])
    assert (told.score, as_of) == (710, AS_OF)
    assert sum(line.points for line in told.lines) == 710
    assert told.helps
    for wrong, seal in ((other, seals[citizen]), (citizen, seals[other])):
        with pytest.raises(SealBroken):
            explanation(held, wrong, seal)


async def test_the_score_of_one_who_just_authorised_it_waits_for_no_night(desk: Desk) -> None:
    citizen = await desk.person(authorised=False)
    await desk.facts(citizen, *WORKING)
    await desk.publish()
    city = desk.town.city  # as the serving role: publishing is otherwise the owner's
    async with city.writer.change(citizen) as connection:
        await connection.execute(
            "INSERT INTO score_authorisation (citizen, version, status, notice, text_sha256)"
            " VALUES ($1, 1, 'given', '1', sha256('notice'))",
            citizen,
        )
        await Scores(city.vault, city.clock).publish_within(connection, [citizen])
    assert await desk.score(citizen) == 710
    assert await desk.band(citizen) == 4
    run = await desk.publish()
    assert run.changed == 0  # the night has nothing to add


async def test_without_any_run_yet_the_score_is_that_of_today(desk: Desk) -> None:
    citizen = await desk.person()
    async with desk.town.city.writer.change(citizen) as connection:
        await desk.scores.publish_within(connection, [citizen])
        found = await score_rows.held(connection, citizen, today(desk.office.clock))
    assert found is not None
    assert (found[0].score, found[1]) == (560, today(desk.office.clock))


@pytest.mark.parametrize("authorisation", [1, 3])
async def test_a_score_is_never_written_under_another_authorisation(
    desk: Desk, authorisation: int
) -> None:
    citizen = await desk.person()
    await desk.authorise(citizen, leave_out=["honour"])
    fresh = Fresh(citizen, authorisation, 900, 5, b"sealed", moves=True)
    async with desk.town.city.database.connection() as connection:
        assert await score_rows.put(connection, 1, [fresh]) == 0
    assert await desk.score(citizen) is None


async def test_an_older_run_does_not_replace_a_later_one(desk: Desk) -> None:
    citizen = await desk.person()
    fresh = Fresh(citizen, 1, 900, 5, b"sealed", moves=True)
    async with desk.town.city.database.connection() as connection:
        assert await score_rows.put(connection, 2, [fresh]) == 1
        assert await score_rows.put(connection, 1, [msgspec.structs.replace(fresh, score=1)]) == 0
    assert await desk.score(citizen) == 900


async def test_the_serving_role_cannot_write_a_score_by_itself(desk: Desk) -> None:
    citizen = await desk.person()
    async with desk.town.city.database.connection() as connection:
        for statement in (
            "INSERT INTO score VALUES ($1, 1, 900, 5, 'x')",
            "UPDATE score SET band = 5 WHERE citizen = $1",
            "DELETE FROM score WHERE citizen = $1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement, citizen)


async def test_a_run_that_was_cut_off_is_taken_up_by_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.score_publication.BATCH", 2)
    for _ in range(5):
        await desk.facts(await desk.person(), *WORKING)

    def cut(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await desk.publication.run(AS_OF, cut)
    assert await desk.town.owner.fetchval("SELECT count(*) FROM publish_run") == 0
    run = await desk.publish()
    assert (run.scored, run.changed, run.band_moves) == (5, 3, 3)
    run = await desk.publish()
    assert (run.scored, run.changed) == (5, 0)


async def test_before_the_first_model_nothing_is_published(desk: Desk) -> None:
    with pytest.raises(NothingInForce):
        await desk.publish(date(1999, 1, 1))


async def test_time_alone_changes_a_score_when_a_negative_fact_ends(desk: Desk) -> None:
    citizen = await desk.person()
    await desk.facts(
        citizen,
        ("enforcement", "penalty", "serious"),
        effective="2023-07-01",
        determined="2023-07-01",
    )
    await desk.publish()
    assert await desk.score(citizen) == 500  # in its third year 60 of 100 count
    ahead = await desk.publish(date(2028, 7, 1))
    assert await desk.score(citizen) == 560
    assert ahead.forgotten == 0  # that day has not come


async def test_a_publication_deletes_negative_facts_whose_five_years_are_over(desk: Desk) -> None:
    citizen = await desk.person()
    await desk.facts(
        citizen,
        ("enforcement", "penalty", "serious"),
        effective="2023-07-01",
        determined="2023-07-01",
    )
    await desk.facts(citizen, *WORKING)
    await desk.publish()
    desk.clock.advance(seconds=(date(2028, 7, 1) - AS_OF).days * 86_400)
    run = await desk.publish(date(2028, 7, 1))
    assert (run.forgotten, run.changed) == (1, 1)
    assert await desk.town.owner.fetchval("SELECT count(*) FROM fact") == len(WORKING)
    assert await desk.score(citizen) == 710
    run = await desk.publish(date(2028, 7, 1))
    assert (run.forgotten, run.changed) == (0, 0)


WORDS = {row.rule: set[str]() for row in FORBIDDEN}
for _row in FORBIDDEN:
    WORDS[_row.rule] |= set(_row.zh + _row.en)


async def test_an_import_of_forbidden_facts_leaves_every_score_unchanged(desk: Desk) -> None:
    citizens = [await desk.person() for _ in range(3)]
    for citizen in citizens:
        await desk.facts(citizen, *WORKING)
    await desk.publish()
    before = await desk.everything()
    good = {"department": "utilities", "code": "months_paid_on_time", "value": "0"}
    rows, rules = [], []
    for rule, words in sorted(WORDS.items()):
        for word in sorted(words):
            as_code = {**good, "code": word}
            for cells in (as_code, {**good, word: "1"}, {**good, "category": word}):
                rows += [desk.row(citizen, **cells) for citizen in citizens]
                rules += [rule] * len(citizens)
    refused = await desk.bring_in(rows)
    assert [refusal.rule for refusal in refused] == rules  # by the rule's own name
    run = await desk.publish()
    assert run.changed == 0
    assert await desk.everything() == before


@st.composite
def _cells(draw: st.DrawFn) -> dict[str, object]:
    """A row, good or bad, about few records so that they meet."""
    negative = draw(st.booleans())
    day = AS_OF - timedelta(days=draw(st.integers(0, 2500)))
    cells: dict[str, object] = {
        "department": "enforcement" if negative else "utilities",
        "code": "penalty" if negative else "months_paid_on_time",
        "value": draw(st.sampled_from(["minor", "serious", "0", "12", "24", "x"])),
        "effective": day.isoformat(),
        "source": draw(st.sampled_from(["示例-1", "示例-2"])),
    }
    if negative:
        cells["determined"] = day.isoformat()
    if draw(st.integers(0, 9)) == 0:
        cells[draw(st.sampled_from(["religion", "学历", "gene"]))] = "x"
    return cells


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 2), _cells()), max_size=12))
async def test_importing_and_publishing_twice_is_as_good_as_once(
    desk: Desk, drawn: list[tuple[int, dict[str, object]]]
) -> None:
    while len(desk.people) < 3:
        await desk.person()
    await desk.town.owner.execute("DELETE FROM fact")
    people = list(desk.people)
    rows = [desk.row(people[who], **cells) for who, cells in drawn]
    first = await desk.bring_in(rows)
    run = await desk.publish()
    once = await desk.everything()
    facts = await desk.town.owner.fetch("SELECT *, xmin::text FROM fact ORDER BY 1, 2, 3, 4")
    assert await desk.bring_in(rows) == first
    again = await desk.publish()
    assert (again.scored, again.changed, again.band_moves) == (run.scored, 0, 0)
    assert await desk.everything() == once
    assert (
        await desk.town.owner.fetch("SELECT *, xmin::text FROM fact ORDER BY 1, 2, 3, 4") == facts
    )
