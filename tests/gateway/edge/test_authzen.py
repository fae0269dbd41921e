"""AuthZEN 1.0: strangers first, then the points of its certification scenario, then our own words.

The certification's fixture names users and records; ours are citizens and scenarios. What it checks
of structure is checked here of every route that it names.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from gateway.edge import authzen, twins
from scenarios.facts import fact_fields
from tests.gateway.callers import CHALLENGE, Callers, body
from tests.gateway.city import TestCity
from tests.gateway.edge.pep import USE, Json, Pep, scenario, subject
from tests.gateway.edge.test_every_body import CASES

ROUTES = tuple(authzen.ROUTES)


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


@pytest.fixture
async def pep(callers: Callers) -> Pep:
    return Pep(callers)


# ------------------------------------------------------------------ strangers


@pytest.mark.parametrize("path", ROUTES)
async def test_nobody_asks_without_a_token_and_nothing_of_the_body_is_looked_at(
    callers: Callers, path: str
) -> None:
    async with callers.stranger() as stranger:
        for content in (b"", b"\xff" * 200_000, b'{"a":1,"a":1}'):
            answer = await stranger.post(path, content=content)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == CHALLENGE
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"]


async def test_a_party_asks_only_about_scenarios_it_is_registered_and_scoped_for(
    callers: Callers,
) -> None:
    town = callers.town
    await town.party("library-1", scenarios=["library", "rent"], entity="library-house")
    citizen = await town.ready()
    unscoped = Pep(callers, "library-1", scopes=["scenario:library"])
    unregistered = Pep(callers, scopes=["scenario:rent", "scenario:library"])
    ask = Pep(callers).ask(citizen)
    assert (await unscoped.evaluation(ask)).status_code == 403
    forbidden = await unregistered.evaluation(ask | {"resource": scenario("library")})
    assert forbidden.status_code == 403
    assert forbidden.json()["title"] == "The caller may not do this"
    assert (
        await unregistered.evaluation(ask | {"resource": scenario("nothing")})
    ).status_code == 404
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 0


async def test_anothers_subject_is_as_good_as_noise(callers: Callers) -> None:
    town = callers.town
    await town.party("rival", entity="rival-house")
    citizen = await town.ready()
    mine, rival = Pep(callers), Pep(callers, "rival")
    for stolen in (mine.name_of(citizen), "A" * 44, "x", ""):
        answer = await rival.evaluation(rival.ask(citizen, subject=subject(stolen)))
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/subject/id"
    assert (await rival.evaluation(rival.ask(citizen))).status_code == 200


# ------------------------------------------------------------------ certification: Basic


async def test_a_permit_and_a_denial_are_both_answers(pep: Pep) -> None:
    town = pep.town
    open_to, closed_to = await town.ready(), await town.citizen()
    for citizen, decision in ((open_to, True), (closed_to, False)):
        for _ in range(3):  # the same each time
            answer = await pep.evaluation(pep.ask(citizen))
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "no-store"
            assert body(answer)["decision"] is decision
            assert isinstance(answer.json()["context"], dict)


async def test_what_the_standard_leaves_open_is_ignored(pep: Pep) -> None:
    citizen = await pep.town.ready()
    plain = pep.ask(citizen)
    extended = {
        "subject": plain["subject"] | {"properties": {"role": "manager"}, "x": [1]},
        "action": USE | {"properties": {"method": "GET"}},
        "resource": plain["resource"] | {"properties": {"status": "active", "owner": "bob"}},
        "context": plain["context"] | {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"},
        "foo": "bar",
        "futureField": {"nested": True},
    }
    assert body(await pep.evaluation(extended))["decision"] is True
    hashes = await pep.town.owner.fetch("SELECT DISTINCT facts_hash FROM decision")
    await pep.evaluation(plain)
    assert hashes == await pep.town.owner.fetch("SELECT DISTINCT facts_hash FROM decision")


MISSING: dict[str, Json] = {
    "/subject": {"subject": ...},
    "/action": {"action": ...},
    "/resource": {"resource": ...},
    "/subject/type": {"subject": {"id": "A" * 44}},
    "/subject/id": {"subject": {"type": "citizen"}},
    "/action/name": {"action": {}},
    "/resource/type": {"resource": {"id": "rent"}},
    "/resource/id": {"resource": {"type": "scenario"}},
}

WRONG: dict[str, Json] = {
    "a subject that is a text": {"subject": "alice"},
    "a name that is a number": {"action": {"name": 123}},
    "a type that is a list": {"resource": {"type": ["scenario"], "id": "rent"}},
    "an id that is null": {"subject": {"type": "citizen", "id": None}},
    "a resource that is null": {"resource": None},
    "a context that is a text": {"context": "x"},
    "a context that is null": {"context": None},
    "a context that is a list": {"context": []},
}


@pytest.mark.parametrize("pointer", MISSING)
async def test_a_missing_member_is_named(pep: Pep, pointer: str) -> None:
    citizen = await pep.town.ready()
    request = pep.ask(citizen, **MISSING[pointer])
    for send in (pep.evaluation, pep.evaluations):
        answer = await send(request)
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {"pointer": pointer, "detail": "a required member is missing"}
        ]
    searched = await pep.found(pep.search(citizen, **MISSING[pointer]))
    assert searched.status_code == (200 if pointer == "/resource/id" else 400)


@pytest.mark.parametrize("name", WRONG)
async def test_a_member_of_the_wrong_type_is_a_400(pep: Pep, name: str) -> None:
    citizen = await pep.town.ready()
    for send, request in (
        (pep.evaluation, pep.ask(citizen, **WRONG[name])),
        (pep.evaluations, pep.ask(citizen, **WRONG[name])),
        (pep.found, pep.search(citizen, **WRONG[name])),
    ):
        answer = await send(request)
        assert answer.status_code == 400, answer.text
        assert answer.json()["errors"][0]["pointer"].startswith("/")


@pytest.mark.parametrize("path", ROUTES)
async def test_no_body_is_taken_for_something_else(pep: Pep, path: str) -> None:
    """The corpus of every JSON route, by AuthZEN's rules: a wrong content type is a 400, unknown
    members are none of our business (what is missing still is)."""
    for name, (kind, content, wanted) in CASES.items():
        if name in ("300 members", "too much"):
            continue  # larger bodies are meant to be larger here: below
        headers = {"content-type": kind} if kind is not None else {}
        answer = await pep.http.post(path, content=content, headers=headers)
        assert answer.status_code == (400 if wanted == 415 else wanted), (name, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (authzen.EVALUATION, 4 << 10),
        (authzen.EVALUATIONS, 128 << 10),
        (authzen.SEARCH_RESOURCE, 16 << 10),
    ],
)
async def test_a_body_has_a_size(pep: Pep, path: str, most: int) -> None:
    headers = {"content-type": "application/json"}
    answers = [
        await pep.http.post(path, content=b"{}" + b" " * (size - 2), headers=headers)
        for size in (most, most + 1)
    ]
    assert [answer.status_code for answer in answers] == [400, 413]


@pytest.mark.parametrize("path", ROUTES)
async def test_a_request_id_comes_back_with_answers_and_problems(pep: Pep, path: str) -> None:
    citizen = await pep.town.ready()
    whole = pep.search(citizen) if path == authzen.SEARCH_RESOURCE else pep.ask(citizen)
    named = {"x-request-id": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"}
    for request, status in ((whole, 200), ({}, 400)):
        answer = await pep.http.post(path, json=request, headers=named)
        assert answer.status_code == status, answer.text
        assert answer.headers["x-request-id"] == named["x-request-id"]
        assert "x-request-id" not in (await pep.http.post(path, json=request)).headers


async def test_what_there_is_not_is_said_by_its_place(pep: Pep) -> None:
    citizen = await pep.town.ready()
    foreign: dict[str, Json] = {
        "/subject/type": {"subject": {"type": "user", "id": "alice"}},
        "/action/name": {"action": {"name": "read"}},
        "/resource/type": {"resource": {"type": "record", "id": "record-1"}},
    }
    for pointer, change in foreign.items():
        answer = await pep.evaluation(pep.ask(citizen, **change))
        assert answer.status_code == 400
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
        assert "alice" not in answer.text


# ------------------------------------------------------------------ our own words


async def test_an_answer_is_the_one_of_the_other_way_of_asking(callers: Callers) -> None:
    """Members, record and receipt: only the envelope differs."""
    pep, town = Pep(callers), callers.town
    citizen = await town.ready()
    context = body(await pep.evaluation(pep.ask(citizen)))["context"]
    told = msgspec.json.decode(msgspec.json.encode(context), type=twins.EligibilityAnswer)
    assert told.outcome == "eligible"
    assert body(await pep.http.get(f"/v1/decisions/{told.decision_id}")) == context
    asked = {"subject": pep.name_of(citizen), "facts": pep.facts()}
    plain = body(await pep.http.post("/v1/scenarios/rent/eligibility", json=asked))
    assert plain.keys() == context.keys()
    rows = await town.owner.fetch("SELECT facts_hash, consent, outcome FROM decision")
    assert len(rows) == 2
    assert len(set(map(tuple, rows))) == 1


async def test_only_eligible_is_true(pep: Pep) -> None:
    town = pep.town
    ready, closed = await town.ready(), await town.citizen()
    incomplete = {key: value for key, value in pep.facts().items() if key != "deposit_fen"}
    for citizen, context, outcome in (
        (ready, pep.facts(), "eligible"),
        (closed, pep.facts(), "standard_path"),
        (ready, incomplete, "cannot_assess"),
        (ready, ..., "cannot_assess"),
    ):
        answer = body(await pep.evaluation(pep.ask(citizen, context=context)))
        assert answer["context"]["outcome"] == outcome
        assert answer["decision"] is (outcome == "eligible")


@pytest.mark.parametrize("missing", ["consent", "commitment", "score", "everything"])
async def test_all_that_is_about_the_citizen_reads_alike(pep: Pep, missing: str) -> None:
    town = pep.town
    citizen = await town.citizen(band=0 if missing in ("score", "everything") else 4)
    if missing not in ("consent", "everything"):
        await town.consent(citizen)
    if missing not in ("commitment", "everything"):
        await town.commitment(citizen)
    nobody = town.city.ids.random_uuid()
    one, other = [await pep.evaluation(pep.ask(each)) for each in (citizen, nobody)]
    assert len(one.content) == len(other.content)
    assert one.json()["decision"] is other.json()["decision"] is False
    assert one.json()["context"].keys() == other.json()["context"].keys()


async def test_a_malformed_fact_is_named_and_not_repeated(pep: Pep) -> None:
    citizen = await pep.town.ready()
    wrong = pep.facts() | {"deposit_fen": "330106200001011234"}
    answer = await pep.evaluation(pep.ask(citizen, context=wrong))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/context/deposit_fen"
    assert "330106200001011234" not in answer.text


async def test_who_asked_and_in_which_case_is_recorded_and_shown(callers: Callers) -> None:
    pep, town = Pep(callers), callers.town
    citizen = await town.ready()
    ours = {"staff": "till-3", "reference": "case/7", "future": True}
    await pep.evaluation(pep.ask(citizen, context=pep.facts() | {"qianjiang": ours}))
    (line,) = body(await (await callers.citizen(citizen)).get("/v1/me/lookups"))["lookups"]
    assert (line["kind"], line["staff"], line["reference"]) == ("question", "till-3", "case/7")


@pytest.mark.parametrize("name", ["request_id", "staff", "reference"])
async def test_our_own_member_has_its_bounds(pep: Pep, name: str) -> None:
    citizen = await pep.town.ready()
    for value in ("", "x" * 65, "a b", 7, "李"):
        context = pep.facts() | {"qianjiang": {name: value}}
        for answer in (
            await pep.evaluation(pep.ask(citizen, context=context)),
            await pep.found(pep.search(citizen, context=context)),
        ):
            assert answer.status_code == 400, value
            assert answer.json()["errors"][0]["pointer"] == f"/context/qianjiang/{name}"
    assert (await pep.evaluation(pep.ask(citizen, context={"qianjiang": "x"}))).status_code == 400


async def test_our_own_member_is_found_however_its_name_is_spelled(pep: Pep) -> None:
    citizen = await pep.town.ready()
    content = msgspec.json.encode(
        pep.ask(citizen, context=pep.facts() | {"qianjiang": {"staff": "till-3"}})
    ).replace(b'"qianjiang"', b'"\\u0071ianjiang"')
    headers = {"content-type": "application/json"}
    body(await pep.http.post(authzen.EVALUATION, content=content, headers=headers))
    assert await pep.town.owner.fetchval("SELECT staff FROM decision") == "till-3"


async def test_no_scenario_has_a_fact_of_our_own_members_name(town: TestCity) -> None:
    for name in town.city.registry:
        assert "qianjiang" not in fact_fields(town.city.registry[name].manifest)


async def test_a_repeat_is_what_asks_the_same_however_it_is_spelled(pep: Pep) -> None:
    """Alone, in a batch, with defaults, with other white space: one record."""
    citizen = await pep.town.ready()
    context = pep.facts() | {"qianjiang": {"request_id": "order-1"}}
    request = pep.ask(citizen, context=context)
    first = body(await pep.evaluation(request))["context"]["decision_id"]
    spaced = msgspec.json.format(msgspec.json.encode(request), indent=4)
    again = await pep.http.post(
        authzen.EVALUATION, content=spaced, headers={"content-type": "application/json"}
    )
    batch = body(
        await pep.evaluations(
            {"context": context, "evaluations": [{**request, "context": context | {"ip": "::1"}}]}
        )
    )
    assert body(again)["context"]["decision_id"] == first
    assert batch["evaluations"][0]["context"]["decision_id"] == first
    assert await pep.town.owner.fetchval("SELECT count(*) FROM decision") == 1
    other = context | {"deposit_fen": 7}
    assert (await pep.evaluation(request | {"context": other})).status_code == 422


async def test_a_suspended_party_is_refused_by_the_commit_too(pep: Pep) -> None:
    citizen = await pep.town.ready()
    ask = pep.ask(citizen)
    await pep.town.owner.execute("UPDATE party SET status = 'suspended'")
    for send, request in (
        (pep.evaluation, ask),
        (pep.evaluations, {"evaluations": [ask]}),
        (pep.found, pep.search(citizen)),
    ):
        answer = await send(request)
        told = answer.json()
        if send == pep.evaluations and answer.status_code == 200:
            told = told["evaluations"][0]["context"]["error"]
        assert told["status"] == 403
    assert await pep.town.owner.fetchval("SELECT count(*) FROM decision") == 0
    assert await pep.town.owner.fetchval("SELECT count(*) FROM search") == 0


# ------------------------------------------------------------------ certification: Discovery


async def test_discovery_names_what_is_offered_by_the_issuers_own_address(
    callers: Callers,
) -> None:
    issuer = callers.town.city.settings.issuer
    answer = await callers.stranger().get(authzen.METADATA)
    assert answer.headers["content-type"] == "application/json"
    assert body(answer) == {
        "policy_decision_point": issuer,
        "access_evaluation_endpoint": f"{issuer}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{issuer}/access/v1/evaluations",
        "search_resource_endpoint": f"{issuer}/access/v1/search/resource",
    }


async def test_discovery_does_not_follow_the_host_field(callers: Callers) -> None:
    for host in ("evil.example", "127.0.0.1:1"):
        answer = await callers.stranger().get(authzen.METADATA, headers={"host": host})
        assert answer.status_code == 400
        assert host not in answer.text


async def test_what_is_not_offered_is_not_there(callers: Callers) -> None:
    for path in ("/access/v1/search/subject", "/access/v1/search/action", "/access/v1"):
        for client in (callers.stranger(), callers.party()):
            assert (await client.post(path, json={})).status_code == 404


async def test_everything_that_discovery_names_answers(callers: Callers) -> None:
    named: dict[str, Any] = body(await callers.stranger().get(authzen.METADATA))
    for address in named.values():
        if address != named["policy_decision_point"]:
            answer: httpx.Response = await callers.party().post(address, json={})
            assert answer.status_code == 400
