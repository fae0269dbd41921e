"""Consents over HTTP: strangers first, then what a party and a citizen see and do."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.clock import SECOND_US, rfc3339
from gateway.consent_requests import PEERS_MAX, Asked
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity

ASK = {
    "scenario": "rent",
    "purpose": "deposit_free_rental",
    "out_request_no": "r-1",
    "return_uri": "https://shop.example/back?order=7",
}
SOMEWHERE = "/v1/me/consents/01234567-89ab-cdef-0123-456789abcdef"
TOKEN = "A" * 43


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    return Callers(town)


async def link_of(callers: Callers, **changes: Any) -> str:
    """Where the request of a link is read as data."""
    asked = body(await callers.party().post("/v1/consent-requests", json=ASK | changes), 201)
    return str(asked["link"].replace("/app/consent/", "/v1/me/consent-requests/"))


async def granted(callers: Callers, citizen: UUID, **changes: Any) -> dict[str, Any]:
    """A consent given as a citizen gives it: open the link, read, grant."""
    me = await callers.citizen(citizen)
    shown = body(await me.get(await link_of(callers, **changes)))
    given = {"text_sha256": shown["text"]["sha256"]}
    name = f"grant-{changes.get('out_request_no', 1)}"
    answer: dict[str, Any] = body(await me.post(shown["grant"], json=given, headers=key(name)))
    return answer


def of_path(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.headers["content-type"]


# ------------------------------------------------------------------ strangers


CLOSED = [
    ("POST", "/v1/consent-requests"),
    ("GET", f"/v1/consent-requests/{UUID(int=1)}"),
    ("GET", f"/app/consent/{TOKEN}"),
    ("GET", f"/v1/me/consent-requests/{TOKEN}"),
    ("GET", "/v1/me/consent-requests"),
    ("POST", f"/v1/me/consent-requests/{TOKEN}/grant"),
    ("POST", f"/v1/me/consent-requests/{TOKEN}/decline"),
    ("GET", "/v1/me/consents"),
    ("GET", SOMEWHERE),
    *(("POST", f"{SOMEWHERE}/{act}") for act in ("pause", "resume", "withdraw", "frequency")),
]


async def test_a_stranger_gets_nowhere(callers: Callers) -> None:
    stranger = callers.stranger()
    for method, path in CLOSED:
        response = await stranger.request(method, path, json={})
        assert of_path(response) == (401, "application/problem+json"), path


async def test_a_party_cannot_act_as_a_citizen(callers: Callers) -> None:
    party = callers.party()
    assert (await party.get("/v1/me/consents")).status_code == 401
    assert (await party.post(f"{SOMEWHERE}/withdraw")).status_code == 401


async def test_a_citizen_cannot_ask_as_a_party(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    assert (await me.post("/v1/consent-requests", json=ASK)).status_code == 401


async def test_a_page_of_another_site_cannot_withdraw(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    consent = await granted(callers, citizen)
    me = await callers.citizen(citizen)
    me.headers.pop("x-csrf-token")
    path = f"/v1/me/consents/{consent['id']}/withdraw"
    assert (await me.post(path)).status_code == 403
    assert (await callers.town.ask(citizen)).outcome is Outcome.STANDARD_PATH


async def test_a_party_cannot_ask_beyond_its_scopes_and_registrations(callers: Callers) -> None:
    await callers.town.party("elsewhere", scenarios=(), entity="other-house")
    no_scope = callers.party(scopes=["scenario:other"])
    not_registered = callers.party("elsewhere", scopes=["scenario:rent"])
    for party in (no_scope, not_registered):
        response = await party.post("/v1/consent-requests", json=ASK)
        assert of_path(response) == (403, "application/problem+json")


async def test_a_party_cannot_read_anothers_request(callers: Callers) -> None:
    await callers.town.party("rival", entity="rival-house")
    asked = body(await callers.party().post("/v1/consent-requests", json=ASK), 201)
    path = f"/v1/consent-requests/{asked['id']}"
    assert (await callers.party("rival").get(path)).status_code == 404
    assert (await callers.party().get(path)).status_code == 200


async def test_a_citizen_cannot_touch_anothers_consent(callers: Callers) -> None:
    consent = await granted(callers, await callers.town.citizen())
    other = await callers.citizen(await callers.town.citizen())
    path = f"/v1/me/consents/{consent['id']}"
    assert (await other.get(path)).status_code == 404
    for act in ("pause", "resume", "withdraw"):
        assert (await other.post(f"{path}/{act}")).status_code == 404
    assert (await other.post(f"{path}/frequency", json={"frequency": 1})).status_code == 404
    assert body(await other.get("/v1/me/consents")) == {"consents": []}


async def test_a_link_cannot_be_guessed_or_altered(callers: Callers) -> None:
    link = await link_of(callers)
    me = await callers.citizen(await callers.town.citizen())
    for place in range(len(link) - 43, len(link), 6):
        wrong = link[:place] + ("A" if link[place] != "A" else "B") + link[place + 1 :]
        assert (await me.get(wrong)).status_code == 404
    assert (await me.get(link + "A")).status_code == 400
    assert (await me.get(link)).status_code == 200


# ------------------------------------------------------------------ asking


FAULTY: list[tuple[dict[str, str], int, str | None]] = [
    ({"purpose": "advertising"}, 400, "/purpose"),
    ({"scenario": "no-such"}, 404, None),
    ({"out_request_no": "a b"}, 400, "/out_request_no"),
    ({"subject": "x"}, 400, "/subject"),
    ({"return_uri": "http://shop.example/"}, 400, "/return_uri"),
    ({"return_uri": "https://shop.example@evil.example/"}, 400, "/return_uri"),
    ({"return_uri": "https://shop.example/#x"}, 400, "/return_uri"),
    ({"return_uri": "https://shop.example\\@evil.example/"}, 400, "/return_uri"),
    ({"return_uri": "javascript:alert(1)"}, 400, "/return_uri"),
    ({"return_uri": "http://127.0.0.1.evil.example/"}, 400, "/return_uri"),
    ({"return_uri": "https:///nowhere"}, 400, "/return_uri"),
    ({"return_uri": "https://shop.example:99999/"}, 400, "/return_uri"),
]


async def test_a_faulty_request_is_told_where(callers: Callers) -> None:
    party = callers.party()
    for change, status, pointer in FAULTY:
        problem = body(await party.post("/v1/consent-requests", json=ASK | change), status)
        found = [fault["pointer"] for fault in problem.get("errors", [])]
        assert found == ([pointer] if pointer else []), change
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 0


async def test_a_citizen_may_be_sent_back_to_an_honest_address(callers: Callers) -> None:
    honest = [None, "https://shop.example:8443/x", "http://127.0.0.1:9/x"]
    for number, uri in enumerate(honest):
        await link_of(callers, return_uri=uri, out_request_no=f"r-{number}")


async def test_the_same_number_gives_the_same_request(callers: Callers) -> None:
    party = callers.party()
    first = await party.post("/v1/consent-requests", json=ASK)
    again = await party.post("/v1/consent-requests", json=dict(reversed(ASK.items())))
    assert body(first, 201) == body(again, 201)
    assert first.headers["location"] == f"/v1/consent-requests/{first.json()['id']}"
    other = await party.post("/v1/consent-requests", json=ASK | {"return_uri": None})
    assert other.status_code == 422
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 1


async def test_many_at_once_make_one_request(callers: Callers) -> None:
    party = callers.party()
    answers = await asyncio.gather(
        *(party.post("/v1/consent-requests", json=ASK) for _ in range(8))
    )
    assert len({body(answer, 201)["link"] for answer in answers}) == 1
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent_request") == 1


async def test_nothing_that_could_be_stolen_is_stored(callers: Callers) -> None:
    link = await link_of(callers)
    row = await callers.town.owner.fetchrow("SELECT * FROM consent_request")
    assert row is not None
    assert link.rsplit("/", 1)[1][-20:] not in str(dict(row))


# ------------------------------------------------------------------ deciding


async def test_the_link_shows_exactly_what_and_to_whom(callers: Callers) -> None:
    await callers.town.owner.execute("UPDATE legal_entity SET promise = 'we keep our word'")
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    manifest = callers.town.city.registry["rent"].manifest
    assert shown["recipient"] == {
        "name": "rent-a-bike",
        "contact": "desk",
        "promise": "we keep our word",
    }
    assert shown["asked_by"] == {"name": "bike-shop", "kind": "merchant", "city": None}
    assert shown["handler"]["name"] == callers.town.city.settings.city_name
    assert (shown["purpose"], shown["status"]) == ("deposit_free_rental", "pending")
    assert shown["text"]["zh"] == manifest.consent.zh
    words = f"{shown['text']['version']}\n{shown['text']['zh']}"
    assert shown["text"]["sha256"] == hashlib.sha256(words.encode()).hexdigest()
    assert set(shown["answers"]) == {outcome.wire for outcome in Outcome}
    assert shown["returns_to"] == "shop.example"
    assert {"refusing", "withdrawing", "keeping"} <= shown.keys()


async def test_it_names_who_else_a_consent_would_be_open_to(callers: Callers) -> None:
    """A consent is to the recipient: every active party that asks for it may use it."""
    town = callers.town
    link = await link_of(callers)
    for number in range(PEERS_MAX + 2):
        await town.party(f"branch-{number:02}")
    await town.party("closed-branch")
    await town.owner.execute("UPDATE party SET status = 'closed' WHERE id = 'closed-branch'")
    await town.party("other-shop", entity="other-entity")
    await town.party("other-scenario", scenarios=("library",))
    me = await callers.citizen(await town.citizen())
    also = body(await me.get(link))["also_asking"]
    assert also == {"names": [f"branch-{n:02}" for n in range(PEERS_MAX)], "more": 2}
    waiting = body(await me.get("/v1/me/consent-requests"))
    assert waiting == {"requests": []}


async def test_a_party_that_asks_alone_is_alone(callers: Callers) -> None:
    link = await link_of(callers)
    me = await callers.citizen(await callers.town.citizen())
    assert body(await me.get(link))["also_asking"] == {"names": [], "more": 0}


async def test_a_grant_tells_the_party_the_subject_and_opens_the_answer(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    asked = body(await callers.party().post("/v1/consent-requests", json=ASK), 201)
    path = f"/v1/consent-requests/{asked['id']}"
    pending = body(await callers.party().get(path))
    assert pending == {"id": asked["id"], "status": "pending", "expires_at": asked["expires_at"]}
    consent = await granted(callers, citizen)
    assert (consent["version"], consent["status"]) == (1, "active")
    state = body(await callers.party().get(path))
    assert state["status"] == "granted"
    sector = town.principal().party.row.own_sector
    assert town.city.pseudonyms.open(state["subject"], sector) == citizen
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_a_declined_request_has_no_consequence(callers: Callers) -> None:
    town = callers.town
    citizen = await town.ready()
    before = await town.owner.fetch("SELECT * FROM standing")
    me = await callers.citizen(citizen)
    shown = body(await me.get(await link_of(callers)))
    for _ in range(2):
        assert body(await me.post(shown["decline"]))["status"] == "declined"
    assert await town.owner.fetch("SELECT * FROM standing") == before
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    state = body(await callers.party().get(f"/v1/consent-requests/{shown['id']}"))
    assert (state["status"], "subject" in state) == ("declined", False)
    given = {"text_sha256": shown["text"]["sha256"]}
    assert (await me.post(shown["grant"], json=given, headers=key("g"))).status_code == 409
    assert (
        body(await me.get(f"/v1/me/consent-requests/{shown['decline'].split('/')[4]}"))["grant"]
        is None
    )


async def test_a_consent_to_other_words_is_none(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    wrong = {"text_sha256": "0" * 64}
    assert (await me.post(shown["grant"], json=wrong, headers=key("g"))).status_code == 409
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent") == 0


async def test_a_grant_needs_an_idempotency_key(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    given = {"text_sha256": shown["text"]["sha256"]}
    assert (await me.post(shown["grant"], json=given)).status_code == 400
    bare = {"idempotency-key": "not quoted"}
    assert (await me.post(shown["grant"], json=given, headers=bare)).status_code == 400
    assert (await me.post(shown["grant"], json=given, headers=key("k"))).status_code == 200
    other = given | {"frequency": 2}
    assert (await me.post(shown["grant"], json=other, headers=key("k"))).status_code == 422


async def test_the_first_citizen_to_decide_is_the_only_one(callers: Callers) -> None:
    town = callers.town
    people = [await callers.citizen(await town.citizen()) for _ in range(4)]
    shown = [body(await me.get(await link_of(callers))) for me in people]
    given = {"text_sha256": shown[0]["text"]["sha256"]}
    answers = await asyncio.gather(
        *(me.post(shown[0]["grant"], json=given, headers=key("g")) for me in people)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert await town.owner.fetchval("SELECT count(*) FROM consent") == 1
    for me, answer in zip(people, answers, strict=True):
        expected = 200 if answer.status_code == 200 else 404
        assert (await me.get(await link_of(callers))).status_code == expected
        assert (await me.post(shown[0]["decline"])).status_code == {200: 409, 404: 404}[expected]


async def test_one_citizen_clicking_many_times_consents_once(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    given = {"text_sha256": shown["text"]["sha256"]}
    answers = await asyncio.gather(
        *(me.post(shown["grant"], json=given, headers=key(f"k{i % 2}")) for i in range(6))
    )
    assert len({msgspec.json.encode(body(answer)["version"]) for answer in answers}) == 1
    assert await callers.town.owner.fetchval("SELECT count(*) FROM consent") == 1


async def test_an_expired_request_cannot_be_granted(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    await callers.town.owner.execute("UPDATE consent_request SET expires_at = clock_timestamp()")
    given = {"text_sha256": shown["text"]["sha256"]}
    assert (await me.post(shown["grant"], json=given, headers=key("g"))).status_code == 409
    assert (await me.post(shown["decline"])).status_code == 409
    late = body(await me.get(await link_of(callers)))
    assert (late["status"], late["grant"], late["decline"]) == ("expired", None, None)
    state = body(await callers.party().get(f"/v1/consent-requests/{shown['id']}"))
    assert state["status"] == "expired"


async def test_a_party_that_lost_its_place_cannot_be_granted_to(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    await callers.town.owner.execute("UPDATE party SET status = 'suspended'")
    await callers.town.city.parties.refresh()
    given = {"text_sha256": shown["text"]["sha256"]}
    assert (await me.post(shown["grant"], json=given, headers=key("g"))).status_code == 409


TOO_WIDE: list[tuple[dict[str, Any], str]] = [
    ({"until": "2020-01-01T00:00:00Z"}, "/until"),
    ({"until": "2099-01-01T00:00:00Z"}, "/until"),
    ({"until": "2026-12-01T00:00:00"}, "/until"),
    ({"frequency": 0}, "/frequency"),
    ({"frequency": 1.5}, "/frequency"),
    ({"text_sha256": "ABC"}, "/text_sha256"),
]


async def test_terms_can_only_be_narrower(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    shown = body(await me.get(await link_of(callers)))
    for number, (terms, pointer) in enumerate(TOO_WIDE):
        given = {"text_sha256": shown["text"]["sha256"]} | terms
        answer = await me.post(shown["grant"], json=given, headers=key(f"g{number}"))
        assert [fault["pointer"] for fault in body(answer, 400)["errors"]] == [pointer]


async def test_a_frequency_of_two_makes_the_third_question_the_ordinary_way(
    callers: Callers,
) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    me = await callers.citizen(citizen)
    shown = body(await me.get(await link_of(callers)))
    given = {"text_sha256": shown["text"]["sha256"], "frequency": 2}
    consent = body(await me.post(shown["grant"], json=given, headers=key("g")))
    answers = [(await town.ask(citizen)).outcome for _ in range(3)]
    assert answers == [Outcome.ELIGIBLE, Outcome.ELIGIBLE, Outcome.STANDARD_PATH]
    (listed,) = body(await me.get("/v1/me/consents"))["consents"]
    assert (listed["frequency"], listed["answered_today"]) == (2, 3)
    path = f"/v1/me/consents/{consent['id']}/frequency"
    assert body(await me.post(path, json={"frequency": None}))["version"] == 2
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


# ------------------------------------------------------------------ afterwards


async def test_a_citizen_pauses_resumes_and_withdraws(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    consent = await granted(callers, citizen)
    me = await callers.citizen(citizen)
    path = f"/v1/me/consents/{consent['id']}"
    steps = [
        ("pause", "paused", Outcome.STANDARD_PATH),
        ("resume", "active", Outcome.ELIGIBLE),
        ("withdraw", "withdrawn", Outcome.STANDARD_PATH),
    ]
    for number, (act, status, outcome) in enumerate(steps, start=2):
        for _ in range(2):  # each may be repeated, with and without a key
            answer = body(await me.post(f"{path}/{act}", headers=key(act)))
            assert (answer["status"], answer["version"]) == (status, number)
            assert body(await me.post(f"{path}/{act}"))["version"] == number
        assert (await town.ask(citizen)).outcome is outcome
    for act in ("pause", "resume"):
        assert (await me.post(f"{path}/{act}")).status_code == 409
    history = body(await me.get(path))["versions"]
    assert [each["status"] for each in history] == ["active", "paused", "active", "withdrawn"]
    (listed,) = body(await me.get("/v1/me/consents"))["consents"]
    assert listed["recipient"]["contact"] == "desk"
    assert listed["title"]["zh"] == town.city.registry["rent"].manifest.title.zh


async def test_a_pause_ends_by_itself(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    consent = await granted(callers, citizen)
    me = await callers.citizen(citizen)
    path = f"/v1/me/consents/{consent['id']}/pause"
    until = rfc3339(town.city.clock.now_us() + SECOND_US // 2)
    assert body(await me.post(path, json={"until": until}))["paused_until"] == until
    assert (await town.ask(citizen)).outcome is Outcome.STANDARD_PATH
    await asyncio.sleep(0.6)
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE
    (listed,) = body(await me.get("/v1/me/consents"))["consents"]
    assert (listed["status"], listed["paused_until"]) == ("active", None)
    late = body(await me.post(path, json={"until": until}), 400)
    assert late["errors"][0]["pointer"] == "/until"


async def test_consenting_again_continues_the_same_consent(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.commitment(citizen)
    first = await granted(callers, citizen)
    me = await callers.citizen(citizen)
    await me.post(f"/v1/me/consents/{first['id']}/withdraw")
    again = await granted(callers, citizen, out_request_no="r-2")
    assert (again["id"], again["version"], again["status"]) == (first["id"], 3, "active")
    assert (await town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_a_repeated_grant_does_not_undo_a_withdrawal(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    consent = await granted(callers, citizen)
    me = await callers.citizen(citizen)
    await me.post(f"/v1/me/consents/{consent['id']}/withdraw")
    link = await link_of(callers)
    path = f"/v1/me/consent-requests/{link.rsplit('/', 1)[1]}/grant"
    given = {"text_sha256": callers.town.city.registry["rent"].manifest.consent.text_sha256.hex()}
    answer = body(await me.post(path, json=given, headers=key("another")))
    assert (answer["version"], answer["status"]) == (2, "withdrawn")


async def test_a_request_in_person_is_for_that_person(callers: Callers) -> None:
    town = callers.town
    citizen = await town.citizen()
    await town.city.consent_requests.ask(
        town.principal(), msgspec.convert(ASK, Asked), citizen=citizen
    )
    me, other = await callers.citizen(citizen), await callers.citizen(await town.citizen())
    (waiting,) = body(await me.get("/v1/me/consent-requests"))["requests"]
    assert body(await other.get("/v1/me/consent-requests")) == {"requests": []}
    assert (await other.post(waiting["decline"])).status_code == 404
    assert body(await me.post(waiting["decline"]))["status"] == "declined"
    assert body(await me.get("/v1/me/consent-requests")) == {"requests": []}
