"""Every lookup as a file: complete, a page at a time, and no formula in it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import lookups, spreadsheet
from gateway.edge.lookup_table import head
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.searching import search

FILE = "/v1/me/lookups/download"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


def table(content: bytes) -> list[list[str]]:
    """The rows of a CSV as a spreadsheet reads it."""
    assert content.startswith(spreadsheet.BOM)
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_a_stranger_and_a_party_get_no_file(callers: Callers) -> None:
    for client in (callers.stranger(), callers.party()):
        assert (await client.get(FILE)).status_code == 401


async def test_what_is_not_a_form_or_a_language_is_refused(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    for query in ({"format": "xlsx"}, {"lang": "fr"}, {"from": "x"}, {"kind": ""}):
        answer = await me.get(FILE, params=query)
        assert answer.status_code == 400, query
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("page", [1, 2, 200])
async def test_the_file_has_every_line_of_the_list_and_of_nobody_else(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(lookups, "PAGE_OF_ALL", page)
    town = callers.town
    await town.party("mall", scenarios=("rent", "library"), entity="mall-house")
    citizen, other = await town.ready(), await town.ready()
    for _ in range(3):
        await town.ask(citizen)
        await town.ask(other)
    await search(town, citizen, town.principal("mall"))
    me = await callers.citizen(citizen)
    listed = body(await me.get("/v1/me/lookups"))["lookups"]
    answer = await me.get(FILE, params={"format": "json"})
    assert answer.json() == {"lookups": listed}
    assert len(listed) == 4
    rows = table((await me.get(FILE)).content)
    ids = [line.get("decision_id") or line["search_id"] for line in listed]
    assert [row[-1] for row in rows] == [head("zh")[-1], *ids]
    chosen = await me.get(FILE, params={"format": "json", "kind": "search"})
    assert chosen.json() == {"lookups": [line for line in listed if line["kind"] == "search"]}


async def test_a_file_without_lines_is_whole(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    assert (await me.get(FILE, params={"format": "json"})).json() == {"lookups": []}
    assert table((await me.get(FILE)).content) == [head("zh")]


async def test_the_file_has_a_name_and_is_nobodys_to_keep(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    for form, media in (("csv", "text/csv; charset=utf-8"), ("json", "application/json")):
        answer = await me.get(FILE, params={"format": form})
        assert answer.headers["content-type"].startswith(media)
        assert answer.headers["cache-control"] == "no-store"
        name = answer.headers["content-disposition"]
        assert name.startswith('attachment; filename="qianjiang-lookups-20')
        assert name.endswith(f'.{form}"')


async def test_a_row_says_in_the_readers_language_who_asked_what(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    await town.ask(citizen, staff="desk-1", reference="=1+1")
    await town.owner.execute(
        "INSERT INTO staff_access (id, staff, purpose, action, citizen)"
        " VALUES (uuidv7(), '@li', 'objection', 'read', $1)",
        citizen,
    )
    me = await callers.citizen(citizen)
    zh = [dict(zip(head("zh"), row, strict=True)) for row in table((await me.get(FILE)).content)]
    en = [
        dict(zip(head("en"), row, strict=True))
        for row in table((await me.get(FILE, params={"lang": "en"})).content)
    ]
    act, question = zh[1:]
    assert (question["查询方"], question["结果"], question["已送达"]) == (
        *("bike-shop", "可以享受"),
        "是",
    )
    assert (en[2]["Outcome"], en[2]["Delivered"], en[2]["Staff"]) == (
        "open to you",
        "yes",
        "desk-1",
    )
    assert (act["经办人"], act["目的"]) == ("'@li", "objection")
    assert en[2]["Their reference"] == "'=1+1"
    told = body(await me.get("/v1/me/lookups"))["lookups"][1]["at"]
    assert en[2]["Time (Beijing)"][14:19] == told[14:19], "minutes and seconds"


cells: st.SearchStrategy[Any] = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


@given(st.lists(cells.filter(bool), max_size=5))
def test_no_cell_is_a_formula_and_none_breaks_its_row(rows: list[list[str]]) -> None:
    text = spreadsheet.rows(rows).decode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in read] == [len(row) for row in rows]
    for row, was in zip(read, rows, strict=True):
        for cell, before in zip(row, was, strict=True):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert cell in (before, "'" + before)
