"""Who asked about me: strangers first, then every kind of line, by pages, and what is wanted."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway import lookups
from gateway.clock import DAY_US, HOUR_US, SHANGHAI, from_us, rfc3339
from gateway.edge import lookup_lines
from gateway.ids import uuid7_millis
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.searching import search

LOOKUPS = "/v1/me/lookups"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


async def test_a_stranger_and_a_party_have_no_list(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(LOOKUPS)).status_code == 401


# ------------------------------------------------------------------ the list


async def test_a_citizen_sees_every_question_and_every_act_of_staff_page_by_page(
    callers: Callers,
) -> None:
    town = callers.town
    citizen, other = await town.ready(), await town.ready()
    expected = []
    for number in range(7):
        if number % 3 == 2:
            await asyncio.sleep(0.002)
            await town.owner.execute(
                "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
                " VALUES (uuidv7(), 'li', 'objection', $2, $1)",
                *(citizen, f"read-{number}"),
            )
            await asyncio.sleep(0.002)
            expected.append(f"read-{number}")
        else:
            expected.append(str((await town.ask(citizen)).decision))
        await town.ask(other)
    me = await callers.citizen(citizen)
    seen, cursor = [], None
    for _ in range(4):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = body(await me.get("/v1/me/lookups", params=query))
        seen += page["lookups"]
        cursor = page["next"]
    assert cursor is None
    assert [line.get("decision_id") or line["action"] for line in seen] == expected[::-1]
    assert {line["kind"] for line in seen} == {"question", "staff"}
    assert [line["at"] for line in seen] == sorted((line["at"] for line in seen), reverse=True)


async def test_a_page_is_bounded_and_a_cursor_is_ours(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    assert body(await me.get("/v1/me/lookups")) == {"lookups": [], "next": None}
    faulty: list[dict[str, Any]] = [
        {"limit": 0},
        {"limit": 101},
        {"limit": "x"},
        {"cursor": "!"},
        {"cursor": "A" * 22 + "A"},
        {"cursor": "A" * 20},
        {"kind": "answer"},
        {"outcome": "refused"},
        {"scenario": ""},
        {"party": "p" * 201},
        {"from": "2026-02-30"},
        {"from": "yesterday"},
        {"from": "2026-03-02", "to": "2026-03-01"},
    ]
    for query in faulty:
        answer = await me.get("/v1/me/lookups", params=query)
        assert answer.status_code == 400, query
        assert answer.headers["content-type"] == "application/problem+json"


async def test_questions_answered_the_ordinary_way_are_listed_too(callers: Callers) -> None:
    citizen = await callers.town.citizen(band=0)
    assert (await callers.town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    (line,) = body(await (await callers.citizen(citizen)).get("/v1/me/lookups"))["lookups"]
    assert (line["outcome"], line["scenario"]) == ("standard_path", "rent")


async def test_a_search_is_one_line_with_the_scenarios_that_were_asked(callers: Callers) -> None:
    town = callers.town
    await town.party("mall", scenarios=("rent", "library", "hospital"), entity="mall-house")
    citizen, other = await town.citizen(), await town.citizen()
    await town.consent(citizen, recipient="mall-house")
    await town.commitment(citizen)
    found = await search(town, citizen, town.principal("mall"), staff="desk-1", reference="c/7")
    await search(town, other, town.principal("mall"))
    asked = await town.ask(citizen)
    me = await callers.citizen(citizen)
    question, line = body(await me.get("/v1/me/lookups"))["lookups"]
    assert question["decision_id"] == str(asked.decision)
    titles = {name: town.city.registry[name].manifest.title for name in town.city.registry}
    assert line == {
        "kind": "search",
        "at": rfc3339(found.at_us),
        "search_id": str(found.search),
        "party": "mall",
        "staff": "desk-1",
        "reference": "c/7",
        "scenarios": [
            {
                "scenario": name,
                "title": titles[name].zh,
                "title_en": titles[name].en,
                "eligible": name == "rent",
            }
            for name in ("hospital", "library", "rent")
        ],
        "delivered": True,
    }
    await town.owner.execute("INSERT INTO search_undelivered VALUES ($1)", found.search)
    first = body(await me.get("/v1/me/lookups", params={"limit": 1}))
    second = body(await me.get("/v1/me/lookups", params={"limit": 1, "cursor": first["next"]}))
    assert [page["lookups"][0]["kind"] for page in (first, second)] == ["question", "search"]
    assert second["lookups"][0]["delivered"] is False
    assert second["next"] is None


# ------------------------------------------------------------------ what is wanted


async def every_kind(callers: Callers) -> UUID:
    """A citizen with a line of every kind, from two parties, with two outcomes."""
    town = callers.town
    await town.party("mall", scenarios=("rent", "library"), entity="mall-house")
    citizen = await town.ready()
    await town.ask(citizen)
    await town.ask(citizen, town.principal("mall"))
    await search(town, citizen, town.principal("mall"))
    await note(town, citizen)
    return citizen


async def note(town: TestCity, citizen: UUID) -> None:
    """An act of staff."""
    await town.owner.execute(
        "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
        " VALUES (uuidv7(), 'li', 'objection', 'read', $1)",
        citizen,
    )


async def wanted(callers: Callers, citizen: UUID, **query: str) -> list[dict[str, Any]]:
    me = await callers.citizen(citizen)
    lines: list[dict[str, Any]] = body(await me.get(LOOKUPS, params=query))["lookups"]
    return lines


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({}, ["staff", "search", "question", "question"]),
        ({"kind": "question"}, ["question", "question"]),
        ({"kind": "search"}, ["search"]),
        ({"kind": "staff"}, ["staff"]),
        ({"outcome": "eligible"}, ["question"]),
        ({"outcome": "standard_path"}, ["question"]),
        ({"outcome": "cannot_assess"}, []),
        ({"scenario": "rent"}, ["search", "question", "question"]),
        ({"scenario": "library"}, ["search"]),
        ({"scenario": "hospital"}, []),
        ({"party": "mall"}, ["search", "question"]),
        ({"party": "bike-shop", "outcome": "eligible"}, ["question"]),
        ({"party": "bike-shop", "kind": "search"}, []),
        ({"party": "nobody"}, []),
        ({"kind": "staff", "scenario": "rent"}, []),
        ({"kind": "search", "outcome": "eligible"}, []),
    ],
)
async def test_a_choice_leaves_what_fits_all_of_it(
    callers: Callers, query: dict[str, str], kinds: list[str]
) -> None:
    citizen = await every_kind(callers)
    lines = await wanted(callers, citizen, **query)
    assert [line["kind"] for line in lines] == kinds
    if "outcome" in query:
        assert {line["outcome"] for line in lines} <= {query["outcome"]}
    if "party" in query:
        assert {line["party"] for line in lines} <= {query["party"]}


async def test_days_are_those_of_the_place_and_both_are_included(callers: Callers) -> None:
    """By the time that is shown: a question that came before midnight and was answered after."""
    town = callers.town
    citizen = await town.ready()
    decision = (await town.ask(citizen)).decision
    midnight = 1_790_000_000_000_000 // DAY_US * DAY_US - 8 * HOUR_US
    born_us = midnight - 5_000_000
    moved = UUID(int=(born_us // 1000) << 80 | decision.int & ((1 << 80) - 1))
    await town.owner.execute(
        "UPDATE decision SET id = $2, at_us = $3 WHERE id = $1", decision, moved, midnight + 1000
    )
    day = from_us(midnight).astimezone(SHANGHAI).date()
    for first, last, count in (
        (day, day, 1),
        (day - timedelta(1), day - timedelta(1), 0),
        (day - timedelta(1), day, 1),
        (day + timedelta(1), None, 0),
        (None, day, 1),
        (None, day - timedelta(1), 0),
        (date.min, date.max, 1),
    ):
        query = {"from": first and first.isoformat(), "to": last and last.isoformat()}
        given = {name: value for name, value in query.items() if value}
        assert len(await wanted(callers, citizen, **given)) == count, given


async def test_acts_of_staff_have_days_too(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    await note(callers.town, citizen)
    today = from_us(callers.town.city.clock.now_us()).astimezone(SHANGHAI).date()
    tomorrow = (today + timedelta(1)).isoformat()
    assert len(await wanted(callers, citizen, **{"from": today.isoformat()})) == 1
    assert await wanted(callers, citizen, **{"from": tomorrow}) == []


async def test_a_filter_that_little_passes_looks_at_so_many_lines_a_page(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "LOOKED_AT_MAX", 3)
    town = callers.town
    await town.party("mall", entity="mall-house")
    citizen = await town.ready()
    rare = [str((await town.ask(citizen, town.principal("mall"))).decision)]
    for _ in range(8):
        await town.ask(citizen)
    rare.append(str((await town.ask(citizen, town.principal("mall"))).decision))
    me = await callers.citizen(citizen)
    seen: list[str] = []
    pages = 0
    cursor: str | None = ""
    while cursor is not None:
        query = {"party": "mall", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = body(await me.get(LOOKUPS, params=query))
        seen += [line["decision_id"] for line in page["lookups"]]
        pages, cursor = pages + 1, page["next"]
    assert seen == rare[::-1]
    assert pages >= 3


def test_every_outcome_has_a_name() -> None:
    names = {each.wire for each in Outcome}
    assert {lookup_lines.outcome_of(name) for name in names} == set(Outcome)  # type: ignore[arg-type]  # all names


async def test_the_ids_of_lines_are_their_times(callers: Callers) -> None:
    citizen = await callers.town.ready()
    answer = await callers.town.ask(citizen)
    assert abs(uuid7_millis(answer.decision) * 1000 - answer.at_us) < 5_000_000
