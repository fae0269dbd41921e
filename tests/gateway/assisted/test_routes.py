"""Assisted service over HTTP: for a party's signed-in staff, word by word, and no more."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from gateway.idempotency import act, keyed_act
from gateway.local.people import person
from tests.gateway.assisted.desk import CARD, PURPOSES, Desk
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity

PATH = "/v1/counter/assisted"
READING, RECORDS = f"{PATH}/reading", f"{PATH}/records"
FINDS, WITHDRAWALS = f"{PATH}/finds", f"{PATH}/withdrawals"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


@pytest.fixture
async def clerk(callers: Callers) -> httpx.AsyncClient:
    return await callers.clerk()


def shown(number: int = 1) -> dict[str, Any]:
    return {"kind": CARD, "id_number": person(number).id_number}


async def visit(clerk: httpx.AsyncClient, number: int = 1, **changes: Any) -> dict[str, Any]:
    """The body of a visit in which everything was read and agreed, or otherwise."""
    wanted = {"scenario": "rent", "purpose": PURPOSES["rent"]}
    texts = body(await clerk.get(READING, params=wanted))["texts"]
    who = person(number)
    checked = {
        "name": who.name,
        "birthdate": who.birthdate.isoformat(),
        "full_capacity": True,
    }
    whole: dict[str, Any] = {
        **wanted,
        "document": shown(number) | checked,
        "read": {name: text["sha256"] for name, text in texts.items()},
        "said": dict.fromkeys(texts, True),
    }
    return whole | changes


async def asked(town: TestCity, clerk: httpx.AsyncClient, handle: str) -> httpx.Response:
    facts = town.city.registry["rent"].manifest.example_at(town.city.clock.now_us())
    told = {"scenario": "rent", "facts": facts, "person": handle}
    return await clerk.post("/v1/counter/questions", json=told, headers=key("q"))


async def test_nobody_but_signed_in_staff_gets_in(town: TestCity, callers: Callers) -> None:
    mine = await callers.citizen(await town.citizen())
    for stranger in (callers.stranger(), callers.party(), mine):
        assert (await stranger.get(READING)).status_code == 401
        for path in (RECORDS, FINDS, WITHDRAWALS):
            assert (await stranger.post(path, json={})).status_code == 401
    clerk = await callers.clerk()
    del clerk.headers["x-csrf-token"]
    for path in (RECORDS, FINDS, WITHDRAWALS):
        assert (await clerk.post(path, json={}, headers=key("k"))).status_code == 403


async def test_a_clerk_serves_the_own_partys_scenarios_only(clerk: httpx.AsyncClient) -> None:
    for scenario, purpose, status in (
        ("no-such", "deposit_free_rental", 404),
        ("library", "deposit_free_borrowing", 403),
        ("rent", "spying", 400),
        ("", "", 400),
    ):
        wanted = {"scenario": scenario, "purpose": purpose}
        assert (await clerk.get(READING, params=wanted)).status_code == status, scenario
    elsewhere = {"scenario": "library", "document": shown()}
    assert (await clerk.post(FINDS, json=elsewhere)).status_code == 403
    taken = elsewhere | {"what": "consent"}
    assert (await clerk.post(WITHDRAWALS, json=taken, headers=key("w"))).status_code == 403


async def test_from_reading_aloud_to_the_answer_and_the_citizen_sees_all_of_it(
    town: TestCity, callers: Callers, clerk: httpx.AsyncClient
) -> None:
    recorded = body(await clerk.post(RECORDS, json=await visit(clerk), headers=key("r")))
    assert recorded["agreed"] == ["score_authorisation", "consent", "commitment"]
    assert recorded["receipt"]["number"] in recorded["receipt"]["text"]
    citizen = await Desk(town).citizen()
    await town.owner.execute("UPDATE score SET band = 4")
    await town.city.writer.rebuild(citizen)
    answer = body(await asked(town, clerk, recorded["person"]))
    assert (answer["status"], answer["outcome"]) == ("answered", "eligible")
    assert await town.owner.fetchval("SELECT staff FROM decision") == "li.na"
    async with await callers.citizen(citizen) as phone:
        lines = body(await phone.get("/v1/me/lookups"))["lookups"]
    kinds = [line["kind"] for line in lines]
    assert kinds == ["question", *(["assisted"] * 4)]
    assert {line["staff"] for line in lines} == {"li.na"}
    # No desk was chosen: the party's name says where it was.
    assert {line["place"] for line in lines[1:]} == {"bike-shop"}
    assert {line["receipt_no"] for line in lines[1:]} == {recorded["receipt"]["number"]}


async def test_a_returning_person_is_found_asked_about_and_takes_it_back(
    town: TestCity, clerk: httpx.AsyncClient
) -> None:
    told = {"scenario": "rent", "document": shown()}
    nobody = await clerk.post(FINDS, json=told)
    assert nobody.status_code == 404
    await clerk.post(RECORDS, json=await visit(clerk), headers=key("r"))
    found = body(await clerk.post(FINDS, json=told))
    assert list(found) == ["person"]
    answer = body(await asked(town, clerk, found["person"]))
    assert body(await asked(town, clerk, answer["person"]))["status"] == "answered"
    taken = told | {"what": "consent"}
    receipt = body(await clerk.post(WITHDRAWALS, json=taken, headers=key("w")))
    assert body(await clerk.post(WITHDRAWALS, json=taken, headers=key("w"))) == receipt
    again = await clerk.post(WITHDRAWALS, json=taken, headers=key("w2"))
    unknown = await clerk.post(FINDS, json={"scenario": "rent", "document": shown(9)})
    gone = await clerk.post(FINDS, json=told)
    for answer in (again, unknown, gone):
        assert (answer.status_code, answer.content) == (404, nobody.content)
        assert dict(answer.headers) == dict(nobody.headers)


async def test_a_handle_serves_its_own_session_and_scenario_only(
    town: TestCity, callers: Callers, clerk: httpx.AsyncClient
) -> None:
    await town.party("rival", entity="rival-house")
    await clerk.post(RECORDS, json=await visit(clerk), headers=key("r"))
    told = {"scenario": "rent", "document": shown()}
    handle = body(await clerk.post(FINDS, json=told))["person"]
    colleague, rival = await callers.clerk("wang.wu"), await callers.clerk("zhao", party="rival")
    for stranger in (colleague, rival):
        assert (await asked(town, stranger, handle)).status_code == 400
    assert (await rival.post(FINDS, json=told)).status_code == 404
    assert str(await Desk(town).citizen()) not in handle


async def test_two_names_of_one_person_at_two_parties_have_nothing_in_common(
    town: TestCity, callers: Callers, clerk: httpx.AsyncClient
) -> None:
    await town.party("rival", entity="rival-house")
    rival = await callers.clerk("zhao", party="rival")
    answers = []
    for each in (clerk, rival):
        told = await visit(each, said={"score": False, "consent": True, "commitment": False})
        answers.append(body(await each.post(RECORDS, json=told, headers=key("r"))))
    assert answers[0]["person"] != answers[1]["person"]
    assert answers[0]["receipt"]["number"] != answers[1]["receipt"]["number"]
    assert [answer["agreed"] for answer in answers] == [["consent"], ["consent"]]


async def test_what_cannot_be_is_refused_by_its_place_and_no_value_comes_back(
    clerk: httpx.AsyncClient,
) -> None:
    good = await visit(clerk)
    document = good["document"]
    number = document["id_number"]
    flipped = number[:-1] + ("0" if number[-1] != "0" else "1")
    for changes, status, pointer in (
        ({"document": document | {"id_number": flipped}}, 400, "/document/id_number"),
        ({"document": document | {"birthdate": "1900-01-01"}}, 400, "/document/birthdate"),
        ({"document": document | {"kind": "passport"}}, 400, "/document/kind"),
        ({"document": document | {"name": "a\nb"}}, 400, "/document/name"),
        ({"document": document | {"name": "x" * 61}}, 400, "/document/name"),
        ({"document": document | {"full_capacity": False}}, 403, None),
        ({"read": good["read"] | {"consent": "0" * 64}}, 409, None),
        ({"read": {"consent": good["read"]["consent"]}}, 400, "/read/score"),
        ({"leave_out": ["everything"]}, 400, None),
        ({"more": 1}, 400, None),
    ):
        answer = await clerk.post(RECORDS, json=good | changes, headers=key("r"))
        assert answer.status_code == status, changes
        assert document["name"] not in answer.text
        assert number[:17] not in answer.text
        if pointer:
            assert pointer in [each["pointer"] for each in answer.json()["errors"]]
    assert (await clerk.post(RECORDS, json=good)).status_code == 400  # without a key


async def test_the_key_of_a_write_lets_nobody_guess_the_number_in_it(
    town: TestCity, clerk: httpx.AsyncClient
) -> None:
    told = await visit(clerk)
    sent = await clerk.post(RECORDS, json=told, headers=key("r"))
    (row,) = await town.owner.fetch("SELECT * FROM idempotency")
    plain = act("", "r", "POST", RECORDS, sent.request.content)
    assert row["body_hash"] != plain.body_hash
    secret = town.city.keys.blind_index
    keyed = keyed_act(secret, "", "r", "POST", RECORDS, sent.request.content)
    assert row["body_hash"] == keyed.body_hash
    who = person(1)
    for part in (who.id_number, who.name):
        assert part not in str(dict(row))


async def test_all_refused_is_no_record_and_no_receipt(
    town: TestCity, clerk: httpx.AsyncClient
) -> None:
    told = await visit(clerk, said={"score": False, "consent": False, "commitment": False})
    refused = body(await clerk.post(RECORDS, json=told, headers=key("r")))
    assert refused == {"agreed": [], "receipt": None, "person": None}
    assert await town.owner.fetchval("SELECT count(*) FROM citizen") == 0
