"""`POST /access/v1/search/resource`: strangers first, then the certification, then our words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from gateway.edge import twins
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.edge.pep import Json, Pep, subject

MANY = ("rent", "library", "hospital")


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party(scenarios=MANY)
    return Callers(town)


@pytest.fixture
async def pep(callers: Callers) -> Pep:
    return Pep(callers)


async def ready(town: TestCity, *scenarios: str) -> UUID:
    """A citizen to whom these scenarios are open, for the first party."""
    citizen = await town.citizen()
    for name in scenarios or MANY:
        await town.consent(citizen, scenario=name)
        await town.commitment(citizen, scenario=name)
    return citizen


async def found(pep: Pep, request: Json) -> list[str]:
    """The ids of the results of a search that must succeed."""
    answer = body(await pep.found(request))
    assert all(each.keys() == {"type", "id"} for each in answer["results"])
    assert {each["type"] for each in answer["results"]} <= {"scenario"}
    assert answer["page"] == {
        "count": len(answer["results"]),
        "total": len(answer["results"]),
        "next_token": "",
    }
    return [each["id"] for each in answer["results"]]


async def recorded(town: TestCity) -> int:
    return int(await town.owner.fetchval("SELECT count(*) FROM search"))


# ------------------------------------------------------------------ strangers


async def test_anothers_subject_is_found_nowhere_and_leaves_nothing(callers: Callers) -> None:
    town = callers.town
    await town.party("rival", scenarios=MANY, entity="rival-house")
    citizen = await ready(town)
    mine, rival = Pep(callers), Pep(callers, "rival")
    assert await found(mine, mine.search(citizen)) == ["hospital", "library", "rent"]
    for stolen in (mine.name_of(citizen), "A" * 44, "nonexistent-user", ""):
        answer = await rival.found(rival.search(citizen, subject=subject(stolen)))
        assert body(answer) == {
            "page": {"count": 0, "total": 0, "next_token": ""},
            "results": [],
        }
    assert await recorded(town) == 1
    assert await found(rival, rival.search(citizen)) == []
    assert await recorded(town) == 2


async def test_only_scenarios_that_the_token_covers_are_searched(callers: Callers) -> None:
    citizen = await ready(callers.town)
    narrow = Pep(callers, scopes=["scenario:library"])
    assert await found(narrow, narrow.search(citizen)) == ["library"]
    none = Pep(callers, scopes=[])
    assert await found(none, none.search(citizen)) == []
    assert await recorded(callers.town) == 1


# ------------------------------------------------------------------ certification: Search


@pytest.mark.parametrize(
    "change",
    [
        {"subject": {"type": "spaceship", "id": "x"}},
        {"resource": {"type": "spaceship"}},
        {"action": {"name": "read"}},
    ],
)
async def test_an_unknown_type_is_found_nowhere_and_is_no_error(pep: Pep, change: Json) -> None:
    citizen = await ready(pep.town)
    assert await found(pep, pep.search(citizen, **change)) == []
    assert await recorded(pep.town) == 0


async def test_an_id_of_what_is_searched_is_ignored(pep: Pep) -> None:
    citizen = await ready(pep.town, "rent")
    for resource in ({"type": "scenario"}, {"type": "scenario", "id": "library"}):
        assert await found(pep, pep.search(citizen, resource=resource)) == ["rent"]


@pytest.mark.parametrize(
    "page", [{"limit": 1}, {"token": "a3M9"}, {"limit": "x", "properties": {}}, {}, None, 7]
)
async def test_a_page_is_accepted_and_ignored(pep: Pep, page: Any) -> None:
    citizen = await ready(pep.town)
    assert len(await found(pep, pep.search(citizen, page=page))) == 3


# ------------------------------------------------------------------ our own words


async def test_the_answer_is_the_one_described(pep: Pep) -> None:
    citizen = await ready(pep.town, "rent")
    answer = await pep.found(pep.search(citizen, "rent", "library"))
    told = msgspec.json.decode(answer.content, type=twins.ResourceSearchResult)
    assert isinstance(told.context, twins.SearchFacts)
    assert told.context.cannot_assess == ["hospital"]
    assert [each.id for each in told.results] == ["rent"]
    row = await pep.town.owner.fetchrow("SELECT id, receipt FROM search")
    assert row is not None
    assert told.context.search_id == row["id"]
    context = answer.json()["context"]
    assert context.keys() == set(twins.SearchFacts.__struct_fields__)
    until, decided = (
        datetime.fromisoformat(text)
        for text in (context["valid_until"], context["freshness"]["decided_at"])
    )
    assert (until - decided).total_seconds() == 60


async def test_without_facts_nothing_can_be_assessed_and_the_search_is_recorded(pep: Pep) -> None:
    citizen = await ready(pep.town)
    for context in (..., {}, {"time": "2025-06-27T18:03-07:00"}):
        answer = body(await pep.found(pep.search(citizen, context=context)))
        assert answer["results"] == []
        assert answer["context"]["cannot_assess"] == ["hospital", "library", "rent"]
    assert await recorded(pep.town) == 3


async def test_a_fact_of_the_wrong_form_counts_as_missing(pep: Pep) -> None:
    citizen = await ready(pep.town)
    context = pep.search(citizen)["context"] | {"deposit_fen": "330106200001011234"}
    answer = await pep.found(pep.search(citizen, context=context))
    assert [each["id"] for each in body(answer)["results"]] == ["hospital", "library"]
    assert answer.json()["context"]["cannot_assess"] == ["rent"]


@pytest.mark.parametrize("missing", ["consent", "commitment", "score", "everything"])
async def test_who_has_nothing_open_reads_as_nobody_does(pep: Pep, missing: str) -> None:
    town = pep.town
    citizen = await town.citizen(band=0 if missing in ("score", "everything") else 4)
    for name in ("rent", "library"):
        if missing not in ("consent", "everything"):
            await town.consent(citizen, scenario=name)
        if missing not in ("commitment", "everything", "score") or name == "rent":
            await town.commitment(citizen, scenario=name)
    narrow = pep.facts("rent")
    nobody = town.city.ids.random_uuid()
    one, other = [await pep.found(pep.search(each, context=narrow)) for each in (citizen, nobody)]
    if missing != "commitment":
        assert body(one)["results"] == body(other)["results"] == []
        assert len(one.content) == len(other.content)
    assert one.json()["context"].keys() == other.json()["context"].keys()
    assert one.json()["context"]["cannot_assess"] == other.json()["context"]["cannot_assess"]


async def test_the_citizen_sees_who_searched(callers: Callers) -> None:
    pep = Pep(callers)
    citizen = await ready(callers.town, "rent")
    whole = pep.search(citizen)
    context = whole["context"] | {"qianjiang": {"staff": "till-3", "reference": "case/7"}}
    await pep.found(whole | {"context": context})
    (line,) = body(await (await callers.citizen(citizen)).get("/v1/me/lookups"))["lookups"]
    assert (line["kind"], line["party"], line["staff"]) == ("search", "bike-shop", "till-3")
    eligible = [each["scenario"] for each in line["scenarios"] if each["eligible"]]
    assert eligible == ["rent"]


async def test_a_withdrawal_is_seen_by_the_very_next_search(callers: Callers) -> None:
    pep, town = Pep(callers), callers.town
    citizen = await ready(town)
    me = await callers.citizen(citizen)
    consents = {c["scenario"]: c["id"] for c in body(await me.get("/v1/me/consents"))["consents"]}
    left = ["hospital", "library", "rent"]
    for name in list(left):
        assert await found(pep, pep.search(citizen)) == left
        body(await me.post(f"/v1/me/consents/{consents[name]}/withdraw"))
        left.remove(name)
    assert await found(pep, pep.search(citizen)) == []
