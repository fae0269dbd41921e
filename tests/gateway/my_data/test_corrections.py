"""Corrections: strangers first; asked by the citizen, decided by the office, seen by both."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.correction_desk import CorrectionDesk
from gateway.corrections import OPEN_MAX, WORKING_DAYS
from gateway.errors import Conflict, NotFound
from gateway.local.people import person
from gateway.office import Office
from gateway.scores import today
from gateway.store.staff import Staff
from gateway.working_days import calendar, working_day_after
from tests.gateway.callers import Callers, body, key
from tests.gateway.my_data.life import WORDS, enrolled, life, told

PATH = "/v1/me/corrections"
OTHER = {"about": {"kind": "other"}, "words": WORDS}
WANG = Staff("示例-王", "处理更正申请")


@pytest.fixture
async def desk(office: Office) -> CorrectionDesk:
    return CorrectionDesk(office.database, office.vault)


# ------------------------------------------------------------------ strangers


async def test_a_stranger_neither_asks_nor_reads(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(PATH)).status_code == 401
        assert (await client.post(PATH, json=OTHER, headers=key("k"))).status_code == 401
    assert await callers.town.owner.fetchval("SELECT count(*) FROM correction_request") == 0


async def test_nobody_reads_anothers_request(callers: Callers, office: Office) -> None:
    await life(callers.town, office, 1)
    other = await callers.citizen(await enrolled(callers.town, office, 2))
    assert body(await other.get(PATH)) == {"corrections": []}


# ------------------------------------------------------------------ asking


@pytest.mark.parametrize(
    "about",
    [
        {"kind": "identity"},
        {"kind": "other"},
        {
            "kind": "fact",
            "department": "utilities",
            "code": "months_paid_on_time",
            "source": "示例-1",
        },
    ],
)
async def test_a_citizen_asks_and_reads_by_when_it_is_decided(
    callers: Callers, office: Office, about: dict[str, Any]
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    made = body(await me.post(PATH, json={"about": about, "words": WORDS}, headers=key("k")), 201)
    assert (made["about"], made["words"], made["status"]) == (about, WORDS, "received")
    due = working_day_after(today(callers.town.city.clock), WORKING_DAYS)
    assert (made["due_on"], made["overdue"]) == (due.isoformat(), False)
    assert body(await me.get(PATH)) == {"corrections": [made]}


async def test_a_lookup_of_any_kind_can_be_named(callers: Callers, office: Office) -> None:
    citizen = await life(callers.town, office)
    me = await callers.citizen(citizen)
    for table in ("decision", "search", "staff_access", "assisted_act"):
        lookup = await callers.town.owner.fetchval(f"SELECT id FROM {table}")
        ask = {"about": {"kind": "lookup", "id": str(lookup)}, "words": "?"}
        assert (await me.post(PATH, json=ask, headers=key(table))).status_code == 201, table


async def test_what_is_not_about_the_citizen_cannot_be_named(
    callers: Callers, office: Office
) -> None:
    town = callers.town
    await life(town, office, 1)
    me = await callers.citizen(await town.city.citizens.enrol(told(2)))
    foreign = await town.owner.fetchval("SELECT id FROM decision")
    fact = {"department": "utilities", "code": "months_paid_on_time", "source": "示例-1"}
    for about in ({"kind": "fact", **fact}, {"kind": "lookup", "id": str(foreign)}):
        answer = await me.post(PATH, json={"about": about, "words": "x"}, headers=key("k"))
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/about"


@pytest.mark.parametrize(
    "ask",
    [
        {},
        {"about": {"kind": "other"}},
        {"about": {"kind": "other"}, "words": ""},
        {"about": {"kind": "other"}, "words": " \n "},
        {"about": {"kind": "other"}, "words": "x" * 2001},
        {"about": {"kind": "other"}, "words": "x", "more": 1},
        {"about": {"kind": "weather"}, "words": "x"},
        {"about": {"kind": "fact", "department": "x"}, "words": "x"},
        {"about": {"kind": "lookup", "id": "7"}, "words": "x"},
        {"about": {"kind": "identity", "id": "7"}, "words": "x"},
        {"about": "other", "words": "x"},
    ],
)
async def test_what_cannot_be_understood_is_told_so(
    callers: Callers, office: Office, ask: dict[str, Any]
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    answer = await me.post(PATH, json=ask, headers=key("k"))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:qianjiang:problem:malformed")


async def test_the_same_sent_twice_is_one_request(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    assert (await me.post(PATH, json=OTHER)).status_code == 400  # a key is needed
    first, again = [
        body(await me.post(PATH, json=OTHER, headers=key("same")), 201) for _ in range(2)
    ]
    assert first == again
    other = await me.post(PATH, json=OTHER | {"words": "else"}, headers=key("same"))
    assert other.status_code == 422
    assert len(body(await me.get(PATH))["corrections"]) == 1


async def test_so_many_may_wait_at_a_time_however_they_are_sent(
    callers: Callers, office: Office, desk: CorrectionDesk
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    answers = await asyncio.gather(
        *(me.post(PATH, json=OTHER, headers=key(f"k-{n}")) for n in range(OPEN_MAX + 2))
    )
    # Those that meet may be told to come back; more than the bound are never taken.
    taken = sum(answer.status_code == 201 for answer in answers)
    for number in range(taken, OPEN_MAX):
        body(await me.post(PATH, json=OTHER, headers=key(f"more-{number}")), 201)
    assert taken <= OPEN_MAX
    refused = await me.post(PATH, json=OTHER, headers=key("one more"))
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:qianjiang:problem:too-many-open",
    )
    waiting = await desk.waiting()
    await desk.decide(waiting[0].id, "refused", "无此事", WANG)
    assert (await me.post(PATH, json=OTHER, headers=key("now"))).status_code == 201


async def test_the_words_are_nowhere_in_the_clear(callers: Callers, office: Office) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    body(await me.post(PATH, json=OTHER, headers=key("k")), 201)
    held = await callers.town.owner.fetch(
        "SELECT sealed AS bytes FROM correction_request UNION ALL SELECT response FROM idempotency"
    )
    assert len(held) == 2
    assert not [row for row in held if WORDS.encode() in row["bytes"]]


# ------------------------------------------------------------------ deciding


async def test_the_office_reads_and_decides_and_the_citizen_sees_both_acts(
    callers: Callers, office: Office, desk: CorrectionDesk
) -> None:
    citizen = await life(callers.town, office)
    me = await callers.citizen(citizen)
    (waiting,) = await desk.waiting()
    case = await desk.show(waiting.id, WANG)
    assert (case.person.name, case.correction.said.words) == (person(1).name, WORDS)
    await desk.decide(waiting.id, "accepted", "已由部门更正", WANG)
    (seen,) = body(await me.get(PATH))["corrections"]
    assert (seen["status"], seen["answer"], seen["overdue"]) == (
        "accepted",
        "已由部门更正",
        False,
    )
    assert seen["decided_by"] == "示例-王"
    assert seen["decided_at"] is not None
    lines = body(await me.get("/v1/me/lookups"))["lookups"]
    acts = [(each["staff"], each["purpose"], each["action"]) for each in lines[:2]]
    assert acts == [
        ("示例-王", "处理更正申请", "corrections.decide"),
        ("示例-王", "处理更正申请", "corrections.show"),
    ]
    assert await desk.waiting() == []


async def test_a_request_is_decided_once(office: Office, callers: Callers) -> None:
    desk = CorrectionDesk(office.database, office.vault)
    await life(callers.town, office)
    (waiting,) = await desk.waiting()
    outcomes = await asyncio.gather(
        desk.decide(waiting.id, "accepted", "a", WANG),
        desk.decide(waiting.id, "refused", "b", WANG),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "NoneType"]
    with pytest.raises(Conflict):
        await desk.decide(waiting.id, "refused", "c", WANG)
    decided = "SELECT count(*) FROM staff_access WHERE action = 'corrections.decide'"
    assert await callers.town.owner.fetchval(decided) == 1


async def test_there_is_nothing_to_decide_of_what_is_not_there(desk: CorrectionDesk) -> None:
    with pytest.raises(NotFound):
        await desk.show(UUID(int=1), WANG)
    with pytest.raises(NotFound):
        await desk.decide(UUID(int=1), "refused", "x", WANG)


async def test_what_is_overdue_stands_on_top_and_the_citizen_reads_it(
    callers: Callers, office: Office, desk: CorrectionDesk
) -> None:
    me = await callers.citizen(await enrolled(callers.town, office))
    made = [
        body(await me.post(PATH, json=OTHER, headers=key(f"k-{n}")), 201)["id"] for n in range(3)
    ]
    yesterday = today(callers.town.city.clock) - timedelta(days=1)
    await callers.town.owner.execute(
        "UPDATE correction_request SET due_on = $2 WHERE id = $1", UUID(made[2]), yesterday
    )
    assert [str(row.id) for row in await desk.waiting()] == [made[2], made[0], made[1]]
    seen = body(await me.get(PATH))["corrections"]
    assert [each["overdue"] for each in seen] == [True, False, False]


async def test_the_serving_role_decides_nothing(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    for statement in (
        "UPDATE correction_request SET status = 'accepted'",
        "DELETE FROM correction_request",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


# ------------------------------------------------------------------ working days


@given(st.dates(date(2024, 1, 1), date(2040, 1, 1)), st.integers(1, 20))
def test_a_period_ends_on_its_last_working_day(day: date, count: int) -> None:
    last = working_day_after(day, count)
    between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert sum(map(calendar().is_working_day, between)) == count
    assert calendar().is_working_day(last)


def test_a_holiday_week_does_not_count() -> None:
    # The notice for 2024: off from 1 to 7 October, worked on Saturday the 12th.
    assert working_day_after(date(2024, 9, 30), WORKING_DAYS) == date(2024, 10, 12)
