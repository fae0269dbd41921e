"""Many evaluations in one request: each answered as if asked alone, in the order of the request."""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.decision import Decisions
from gateway.edge import authzen, evaluation
from gateway.edge.authzen_wire import ITEMS_MAX
from tests.gateway.callers import Callers, body
from tests.gateway.city import TestCity
from tests.gateway.edge.pep import USE, Json, Pep, scenario, subject


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party(scenarios=("rent", "library"))
    return Callers(town)


@pytest.fixture
async def pep(callers: Callers) -> Pep:
    return Pep(callers)


async def people(town: TestCity, *open_to: bool) -> list[UUID]:
    """Citizens to whom `rent` is open, or not."""
    return [await town.ready() if each else await town.citizen() for each in open_to]


def batch(pep: Pep, citizens: list[UUID], **given: Any) -> Json:
    """One question about each citizen, with all else as defaults."""
    whole = pep.ask(citizens[0], subject=...)
    items = [{"subject": subject(pep.name_of(citizen))} for citizen in citizens]
    return whole | {"evaluations": items} | given


def decisions(answer: httpx.Response) -> list[bool]:
    return [each["decision"] for each in body(answer)["evaluations"]]


async def recorded(town: TestCity) -> int:
    return int(await town.owner.fetchval("SELECT count(*) FROM decision"))


# ------------------------------------------------------------------ strangers


async def test_a_rivals_subjects_open_nothing_and_leave_nothing(callers: Callers) -> None:
    town = callers.town
    await town.party("rival", entity="rival-house")
    mine, rival = Pep(callers), Pep(callers, "rival")
    answer = body(await rival.evaluations(batch(mine, await people(town, True, True))))
    for place, each in enumerate(answer["evaluations"]):
        assert each["decision"] is False
        assert each["context"]["error"]["status"] == 400
        (fault,) = each["context"]["error"]["errors"]
        assert fault["pointer"] == f"/evaluations/{place}/subject/id"
    assert await recorded(town) == 0


# ------------------------------------------------------------------ certification: Batch


async def test_items_are_answered_in_their_order_without_a_decision_of_their_own(pep: Pep) -> None:
    citizens = await people(pep.town, True, False, True, False, False)
    answer = await pep.evaluations(batch(pep, citizens))
    assert decisions(answer) == [True, False, True, False, False]
    assert answer.json().keys() == {"evaluations"}


async def test_without_defaults_every_item_is_whole(pep: Pep) -> None:
    citizens = await people(pep.town, True, False)
    whole = [pep.ask(citizen) for citizen in citizens]
    assert decisions(await pep.evaluations({"evaluations": whole})) == [True, False]


async def test_an_own_context_replaces_the_default_as_a_whole(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    own = {"deposit_fen": 1}  # the other facts are not inherited
    answer = body(await pep.evaluations(pep.ask(citizen) | {"evaluations": [{}, {"context": own}]}))
    outcomes = [each["context"]["outcome"] for each in answer["evaluations"]]
    assert outcomes == ["eligible", "cannot_assess"]


async def test_without_items_it_is_a_single_evaluation(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    for request in (pep.ask(citizen), pep.ask(citizen, evaluations=[])):
        answer = body(await pep.evaluations(request))
        assert answer["decision"] is True
        assert answer.keys() == {"decision", "context"}
    assert (await pep.evaluations({"evaluations": []})).status_code == 400


async def test_a_fault_of_one_item_is_told_in_its_place_alone(pep: Pep) -> None:
    citizens = await people(pep.town, True)
    whole = pep.ask(citizens[0])
    faulty: list[tuple[Any, int, str]] = [
        ({"resource": scenario("nothing")}, 404, ""),
        ({"resource": scenario("hospital")}, 403, ""),
        ({"resource": {"id": "rent"}}, 400, "/resource/type"),
        ({"subject": "alice"}, 400, "/subject"),
        ({"action": {"name": 7}}, 400, "/action/name"),
        ({"context": {"deposit_fen": "x"}}, 400, "/context/deposit_fen"),
        (7, 400, ""),
    ]
    items = [{}, *(item for item, _, _ in faulty), {}]
    answer = body(await pep.evaluations(whole | {"evaluations": items}))["evaluations"]
    assert len(answer) == len(items)
    assert [answer[0]["decision"], answer[-1]["decision"]] == [True, True]
    for place, (_, status, pointer) in enumerate(faulty, 1):
        error = answer[place]["context"]["error"]
        assert answer[place]["decision"] is False
        assert (error["status"], bool(error["message"])) == (status, True)
        named = [each["pointer"] for each in error.get("errors", [])]
        assert named == ([f"/evaluations/{place}{pointer}"] if status == 400 else [])
    assert await recorded(pep.town) == 2


async def test_an_item_that_lacks_what_no_default_gives_is_no_fault_of_the_others(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    request = {
        "subject": subject(pep.name_of(citizen)),
        "action": USE,
        "evaluations": [{"resource": scenario("rent"), "context": pep.facts()}, {}],
    }
    answer = body(await pep.evaluations(request))["evaluations"]
    assert [each["decision"] for each in answer] == [True, False]
    assert answer[1]["context"]["error"]["errors"][0]["pointer"] == "/evaluations/1/resource"


async def test_defaults_may_be_incomplete_where_items_are_whole(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    request = {"resource": {"type": "scenario"}, "subject": {}, "evaluations": [pep.ask(citizen)]}
    assert decisions(await pep.evaluations(request)) == [True]


async def test_the_structure_of_a_whole_body_is_checked(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    item = msgspec.json.encode(pep.ask(citizen)).decode()
    twice = item[:-1] + ',"action":{"name":"use"}}'
    headers = {"content-type": "application/json"}
    for bad in (twice, '{"a":"\\u0000"}', '{"a":' + "[" * 20 + "]" * 20 + "}", '{"a":1e400}'):
        content = f'{{"evaluations":[{item},{bad}]}}'
        answer = await pep.http.post(authzen.EVALUATIONS, content=content, headers=headers)
        assert answer.status_code == 400, bad
    assert await recorded(pep.town) == 0


@pytest.mark.parametrize("semantic", ["", "all", None, 7, ["execute_all"]])
async def test_an_unknown_semantic_is_a_fault_and_never_the_default(
    pep: Pep, semantic: Any
) -> None:
    (citizen,) = await people(pep.town, True)
    options = {"evaluations_semantic": semantic}
    answer = await pep.evaluations(batch(pep, [citizen], options=options))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/options/evaluations_semantic"
    assert await recorded(pep.town) == 0


async def test_a_hundred_items_are_answered_and_one_more_is_too_many(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    answer = await pep.evaluations(batch(pep, [citizen] * 100))
    assert decisions(answer) == [True] * 100
    answer = await pep.evaluations(batch(pep, [citizen] * 101))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/evaluations"
    assert await recorded(pep.town) == 100


# ------------------------------------------------------------------ against single questions


async def test_random_batches_answer_as_their_items_do_alone(callers: Callers) -> None:
    """The model: merge by the standard's words, ask each alone, compare status and outcome."""
    town, pep = callers.town, Pep(callers)
    await town.party("rival", entity="rival-house")
    some = random.Random(20261122)
    citizens = await people(town, True, False)
    subjects = [
        *(subject(pep.name_of(citizen)) for citizen in citizens),
        *(subject("A" * 44), {"type": "citizen"}, {"id": "x"}, "x"),
    ]
    resources = [scenario("rent"), scenario("library"), scenario("points"), scenario("x"), {}]
    contexts = [pep.facts(), pep.facts("library"), {}, {"deposit_fen": -1}, {"time": "now"}]
    choices: dict[str, list[Any]] = {
        "subject": subjects,
        "action": [USE, USE, USE, {"name": "read"}],
        "resource": resources,
        "context": contexts,
    }

    def some_members(likely: float) -> Json:
        return {n: some.choice(c) for n, c in choices.items() if some.random() < likely}

    for _ in range(40):
        default = {n: v for n, v in some_members(0.8).items() if v != "x"}
        items = [some_members(0.4) for _ in range(some.randint(1, 6))]
        answer = body(await pep.evaluations(default | {"evaluations": items}))["evaluations"]
        for item, told in zip(items, answer, strict=True):
            alone = await pep.evaluation({**default, **item})
            if alone.status_code == 200:
                assert told["decision"] is alone.json()["decision"]
                assert told["context"]["outcome"] == alone.json()["context"]["outcome"]
            else:
                assert told["decision"] is False
                assert told["context"]["error"]["status"] == alone.status_code
                assert told["context"]["error"]["message"] == alone.json()["title"]


# ------------------------------------------------------------------ semantics

ORDERS = [
    (True, True, False, True),
    (False, True, True, False),
    (True, True, True, True),
    (False, False, False, False),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("semantic", "ends_at"),
    [("execute_all", None), ("deny_on_first_deny", False), ("permit_on_first_permit", True)],
)
async def test_a_semantic_ends_where_it_says_and_asks_nothing_beyond(
    pep: Pep, order: tuple[bool, ...], semantic: str, ends_at: bool | None
) -> None:
    citizens = await people(pep.town, *order)
    expected = list(order)
    if ends_at in expected:
        expected = expected[: expected.index(ends_at) + 1]
    options = {"evaluations_semantic": semantic, "another_option": 1}
    answer = await pep.evaluations(batch(pep, citizens, options=options))
    assert decisions(answer) == expected
    asked_about = await pep.town.owner.fetch("SELECT citizen FROM decision")
    assert {row["citizen"] for row in asked_about} == set(citizens[: len(expected)])


async def test_an_item_in_error_is_a_denial(pep: Pep) -> None:
    citizens = await people(pep.town, True, True)
    request = batch(pep, citizens)
    request["evaluations"].insert(1, {"resource": scenario("nothing")})
    for semantic, wanted in (
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ):
        options = {"evaluations_semantic": semantic}
        assert decisions(await pep.evaluations(request | {"options": options})) == wanted
    request["evaluations"] = request["evaluations"][1:]
    options = {"evaluations_semantic": "permit_on_first_permit"}
    assert decisions(await pep.evaluations(request | {"options": options})) == [False, True]


# ------------------------------------------------------------------ the path is the same


async def test_a_batch_shares_one_read_of_standings_and_one_commit(pep: Pep) -> None:
    town = pep.town
    citizens = await people(town, *[True] * 20)
    readers, commits = town.city.decisions._first, town.city.committer.batcher
    before = readers.batches, commits.batches
    assert decisions(await pep.evaluations(batch(pep, citizens))) == [True] * 20
    assert (readers.batches - before[0], commits.batches - before[1]) == (1, 1)


async def test_every_item_has_one_record(pep: Pep) -> None:
    citizens = await people(pep.town, True, False, True)
    answer = body(await pep.evaluations(batch(pep, citizens)))["evaluations"]
    told = {UUID(each["context"]["decision_id"]): each["context"]["outcome"] for each in answer}
    rows = await pep.town.owner.fetch("SELECT id, citizen, outcome FROM decision")
    assert {row["id"] for row in rows} == set(told)
    assert sorted(row["citizen"] for row in rows) == sorted(citizens)


async def test_a_daily_frequency_is_counted_within_a_batch(pep: Pep) -> None:
    town = pep.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    await town.consent(citizen, frequency=3)
    answer = await pep.evaluations(batch(pep, [citizen] * 5))
    assert sorted(decisions(answer)) == [False] * 2 + [True] * 3
    assert await town.owner.fetchval("SELECT uses FROM consent_use") == 3


async def test_a_request_id_names_one_question_of_a_batch(pep: Pep) -> None:
    citizens = await people(pep.town, True, True)
    context = pep.facts() | {"qianjiang": {"request_id": "r-1"}}
    answer = body(await pep.evaluations(batch(pep, citizens, context=context)))["evaluations"]
    refused = [each for each in answer if not each["decision"]]
    assert len(refused) == 1
    assert refused[0]["context"]["error"]["status"] == 422
    assert await recorded(pep.town) == 1


async def test_what_can_be_answered_is_answered_though_another_scenario_cannot(pep: Pep) -> None:
    (citizen,) = await people(pep.town, True)
    town = pep.town
    await town.owner.execute("UPDATE policy SET live = false WHERE scenario = 'library'")
    await town.city.policies.refresh()
    request = {"evaluations": [pep.ask(citizen), pep.ask(citizen, "library")]}
    answer = body(await pep.evaluations(request))["evaluations"]
    assert [each["decision"] for each in answer] == [True, False]
    assert answer[1]["context"]["error"]["status"] == 503


@pytest.mark.parametrize(
    "semantic", ["execute_all", "deny_on_first_deny", "permit_on_first_permit"]
)
async def test_where_nothing_could_be_answered_the_request_may_come_again(
    pep: Pep, semantic: str
) -> None:
    city = pep.town.city
    citizens = await people(pep.town, True, True)
    city.settings = msgspec.structs.replace(city.settings, decision_deadline_s=-1.0)
    options = {"evaluations_semantic": semantic}
    answer = await pep.evaluations(batch(pep, citizens, options=options))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert await recorded(pep.town) == 0


async def test_batches_take_turns_so_that_single_questions_come_in(
    pep: Pep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "TURN_S", 0.05)
    citizens, gate = await people(pep.town, True, True), asyncio.Event()
    most, together, ordinary = 2048 // (4 * ITEMS_MAX), [0], Decisions.decide_many

    async def held(self: Decisions, questions: Any) -> Any:
        together[0] += 1
        await gate.wait()
        return await ordinary(self, questions)

    monkeypatch.setattr(Decisions, "decide_many", held)
    asked = [asyncio.create_task(pep.evaluations(batch(pep, citizens))) for _ in range(most + 2)]
    done, _ = await asyncio.wait(asked, timeout=1, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status_code for task in done} == {503}
    assert together[0] == most
    gate.set()
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [200] * most + [503] * 2
