"""信用码 over HTTP: strangers first, then one code, shown once and redeemed once."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest

from gateway.credit_codes import LIVING_MAX, QR_CHARS
from gateway.gcra import Rate
from gateway.misses import AT_DESK, OF_PARTY
from scenarios.contract import Outcome
from tests.gateway.callers import Callers, body, key
from tests.gateway.city import TestCity
from tests.gateway.desks import open_desk

SHOW, REDEEM = "/v1/me/credit-code", "/v1/credit-codes/redeem"
DESK = "123456"


@pytest.fixture
async def callers(town: TestCity) -> Callers:
    await town.party()
    await open_desk(town, DESK)
    return Callers(town)


async def shown(me: httpx.AsyncClient, desk: str | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = body(await me.post(SHOW, json={"desk": desk} if desk else {}), 201)
    return answer


async def redeemed(party: httpx.AsyncClient, code: str, **more: Any) -> httpx.Response:
    return await party.post(REDEEM, json={"code": code, "scenario": "rent"} | more)


def subject_of(callers: Callers, citizen: UUID, party: str = "bike-shop") -> str:
    registration = callers.town.principal(party).party.registrations["rent"]
    return callers.town.city.pseudonyms.subject(citizen, registration.recipient.sector)


# ------------------------------------------------------------------ strangers


async def test_a_stranger_gets_nowhere(callers: Callers) -> None:
    code = {"code": "A" * QR_CHARS, "scenario": "rent"}
    for path, sent in ((SHOW, {}), (REDEEM, code)):
        assert (await callers.stranger().post(path, json=sent)).status_code == 401


async def test_a_party_has_no_code_and_a_citizen_redeems_none(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    code = (await shown(me))["code"]
    assert (await callers.party().post(SHOW, json={})).status_code == 401
    assert (await redeemed(me, code)).status_code == 401
    me.headers.pop("x-csrf-token")
    assert (await me.post(SHOW, json={})).status_code == 403


async def test_a_party_cannot_redeem_beyond_its_scopes_and_registrations(callers: Callers) -> None:
    await callers.town.party("elsewhere", scenarios=(), entity="other-house")
    me = await callers.citizen(await callers.town.citizen())
    code = (await shown(me))["code"]
    for party in (
        callers.party(scopes=["scenario:other"]),
        callers.party("elsewhere", scopes=["scenario:rent"]),
    ):
        assert (await redeemed(party, code)).status_code == 403
    assert (await redeemed(callers.party(), code, scenario="nothing")).status_code == 404
    assert (await redeemed(callers.party(), code, purpose="marketing")).status_code == 400
    assert (await redeemed(callers.party(), code)).status_code == 200, "none of it used the code"


async def test_what_cannot_be_redeemed_looks_alike(callers: Callers) -> None:
    """Unknown, used, over, ended with its session, made for another desk."""
    town = callers.town
    await open_desk(town, "222222")
    await town.party("rival", entity="rival-house")
    await open_desk(town, "333333", party="rival")
    me, party = await callers.citizen(await town.ready()), callers.party()
    used, over, typed = [(await shown(me, desk))["code"] for desk in (None, None, DESK)]
    body(await redeemed(party, used))
    await town.owner.execute(
        "UPDATE credit_code SET expires_at = clock_timestamp() WHERE used_at IS NULL"
        " AND desk IS NULL"
    )
    fresh = (await shown(me))["code"]
    answers = [
        await redeemed(party, "A" * QR_CHARS),
        await redeemed(party, used),
        await redeemed(party, over),
        await redeemed(party, typed, desk="222222"),
        await redeemed(callers.party("rival"), typed, desk="333333"),
        await redeemed(callers.party("rival"), typed, desk=DESK),
        await redeemed(party, fresh, desk="333333"),
        await redeemed(party, fresh, desk="999999"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert (await redeemed(party, typed, desk=DESK)).status_code == 200, "and its own desk works"
    await me.post("/v1/logout")
    ended = await redeemed(party, fresh)
    assert (ended.status_code, ended.content) == (404, answers[0].content)


# ------------------------------------------------------------------ what a party learns


async def test_where_a_consent_stands_the_party_learns_its_subject_and_no_more(
    callers: Callers,
) -> None:
    citizen = await callers.town.ready()
    code = await shown(await callers.citizen(citizen))
    told = body(await redeemed(callers.party(), code["code"]))
    assert told == {"subject": subject_of(callers, citizen)}
    assert (await callers.town.ask(citizen)).outcome is Outcome.ELIGIBLE


async def test_two_entities_learn_different_names(callers: Callers) -> None:
    town = callers.town
    await town.party("cameras", entity="camera-house")
    citizen = await town.ready()
    await town.consent(citizen, recipient="camera-house")
    me = await callers.citizen(citizen)
    first = body(await redeemed(callers.party(), (await shown(me))["code"]))
    second = body(await redeemed(callers.party("cameras"), (await shown(me))["code"]))
    assert first["subject"] != second["subject"]
    assert second["subject"] == subject_of(callers, citizen, "cameras")


async def test_a_pause_stays_the_citizens_own(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    await callers.town.consent(citizen, status="paused")
    code = (await shown(await callers.citizen(citizen)))["code"]
    assert "subject" in body(await redeemed(callers.party(), code))
    assert (await callers.town.ask(citizen)).outcome is Outcome.STANDARD_PATH


@pytest.mark.parametrize("status", ["", "withdrawn", "expired"])
async def test_without_a_consent_the_citizen_is_asked_in_person_at_once(
    callers: Callers, status: str
) -> None:
    citizen, other = await callers.town.citizen(), await callers.town.citizen()
    if status:
        await callers.town.consent(citizen, status=status)
    me, party = await callers.citizen(citizen), callers.party()
    told = body(await redeemed(party, (await shown(me))["code"], desk=DESK))
    asked = told["consent_request"]
    assert (told.keys(), asked["status"]) == ({"consent_request"}, "pending")
    path = f"/v1/consent-requests/{asked['id']}"
    state = body(await party.get(path))
    assert (state["status"], state["desk"], "subject" in state) == ("pending", DESK, False)
    # Only the one who showed the code sees it, on the next code as well as by itself.
    (page,) = (await shown(me))["asks"]
    assert asked["link"].endswith(page)
    somebody = await callers.citizen(other)
    assert (await somebody.get(page)).status_code == 404
    assert (await shown(somebody))["asks"] == []
    seen = body(await me.get(f"/v1/me/consent-requests/{page.rpartition('/')[2]}"))
    assert seen["desk"] == {"number": DESK, "place": "示例柜台"}
    given = {"text_sha256": seen["text"]["sha256"]}
    body(await me.post(seen["grant"], json=given, headers=key("grant")))
    assert body(await party.get(path))["subject"] == subject_of(callers, citizen)
    assert (await shown(me))["asks"] == []


async def test_asking_again_in_person_is_the_same_request(callers: Callers) -> None:
    me, party = await callers.citizen(await callers.town.citizen()), callers.party()
    first, second = [body(await redeemed(party, (await shown(me))["code"])) for _ in range(2)]
    assert first == second
    elsewhere = body(await redeemed(party, (await shown(me))["code"], desk=DESK))
    assert elsewhere["consent_request"]["id"] != first["consent_request"]["id"]


async def test_the_citizen_sees_who_scanned(callers: Callers) -> None:
    citizen = await callers.town.ready()
    me, elsewhere = await callers.citizen(citizen), await callers.citizen(citizen)
    code = await shown(me)
    assert code["scans"] == []
    body(await redeemed(callers.party(), code["code"]))
    assert [scan["party"] for scan in (await shown(me))["scans"]] == ["bike-shop"]
    assert (await shown(elsewhere))["scans"] == [], "each browser its own codes"


# ------------------------------------------------------------------ the code itself


async def test_a_code_is_long_short_lived_and_drawn_black_on_white(callers: Callers) -> None:
    me = await callers.citizen(await callers.town.citizen())
    codes = [await shown(me) for _ in range(3)]
    assert len({code["code"] for code in codes}) == 3
    for code in codes:
        assert len(code["code"]) == QR_CHARS
        assert code["desk"] is None
        assert code["svg"].startswith("<svg ")
        assert 'fill="#fff"' in code["svg"]
    lives = await callers.town.owner.fetch(
        "SELECT extract(epoch FROM expires_at - created_at)::float AS life FROM credit_code"
    )
    assert all(59 < row["life"] <= 61 for row in lives)


async def test_only_the_newest_codes_of_a_citizen_work(callers: Callers) -> None:
    citizen = await callers.town.ready()
    browsers = [await callers.citizen(citizen) for _ in range(2)]
    codes = [(await shown(browsers[n % 2]))["code"] for n in range(LIVING_MAX + 2)]
    found = [(await redeemed(callers.party(), code)).status_code for code in codes]
    assert found == [404, 404, 200, 200, 200]


async def test_codes_made_at_once_are_no_more(callers: Callers) -> None:
    citizen = await callers.town.citizen()
    browsers = [await callers.citizen(citizen) for _ in range(3)]
    answers = await asyncio.gather(*(me.post(SHOW, json={}) for me in browsers * 5))
    assert {answer.status_code for answer in answers} <= {201, 409}
    living = "SELECT count(*) FROM credit_code WHERE used_at IS NULL"
    assert await callers.town.owner.fetchval(living) == LIVING_MAX


async def test_a_repeat_with_its_key_gets_the_same_and_without_it_nothing(
    callers: Callers,
) -> None:
    party = callers.party()
    for citizen in (await callers.town.ready(), await callers.town.citizen()):
        code = (await shown(await callers.citizen(citizen)))["code"]
        sent, name = {"code": code, "scenario": "rent"}, key(f"till-{citizen}")
        first = body(await party.post(REDEEM, json=sent, headers=name))
        assert body(await party.post(REDEEM, json=sent, headers=name)) == first
        assert (await party.post(REDEEM, json=sent)).status_code == 404
        other = sent | {"desk": DESK}
        assert (await party.post(REDEEM, json=other, headers=name)).status_code == 422


async def test_a_miss_is_remembered_under_its_key_as_well(callers: Callers) -> None:
    sent, name = {"code": "00000000", "scenario": "rent", "desk": DESK}, key("typo")
    for _ in range(AT_DESK.burst * 2):  # a network that repeats is no guesser
        assert (await callers.party().post(REDEEM, json=sent, headers=name)).status_code == 404


# ------------------------------------------------------------------ typed codes


async def test_a_typed_code_is_eight_digits_for_one_desk(callers: Callers) -> None:
    citizen = await callers.town.ready()
    code = await shown(await callers.citizen(citizen), DESK)
    assert (len(code["code"]), code["code"].isdigit()) == (8, True)
    assert (code["desk"], code["svg"]) == (DESK, None)
    missing = await redeemed(callers.party(), code["code"])
    assert missing.json()["errors"][0]["pointer"] == "/desk"
    told = body(await redeemed(callers.party(), code["code"], desk=DESK))
    assert told == {"subject": subject_of(callers, citizen)}


async def test_guessing_is_bounded_at_each_desk_and_for_each_party(callers: Callers) -> None:
    town, party = callers.town, callers.party()
    await town.party("rival", entity="rival-house")
    desks = [DESK, *(f"4{n:05}" for n in range(5))]
    for desk in desks[1:]:
        await open_desk(town, desk)
    tried = [
        (await redeemed(party, f"{n:08}", desk=desk)).status_code
        for desk in desks
        for n in range(AT_DESK.burst + 1)
    ]
    assert tried[: AT_DESK.burst + 1] == [404] * AT_DESK.burst + [429]
    assert tried.count(404) == OF_PARTY.burst, "all its desks together"
    assert tried[-1] == 429
    code = await shown(await callers.citizen(await town.ready()), DESK)
    answer = await redeemed(party, code["code"], desk=DESK)
    assert (answer.status_code, int(answer.headers["retry-after"]) >= 1) == (429, True)
    # Nobody else is kept out by that, nor are codes that nobody could guess.
    qr = await shown(await callers.citizen(await town.ready()))
    assert (await redeemed(party, qr["code"], desk=DESK)).status_code == 200
    assert (await redeemed(callers.party("rival"), "00000000", desk=DESK)).status_code == 404


async def test_a_thousand_guesses_at_once_are_no_more_than_one_after_the_other(
    callers: Callers,
) -> None:
    party = callers.party()
    answers = await asyncio.gather(*(redeemed(party, f"{n:08}", desk=DESK) for n in range(60)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(404) <= AT_DESK.burst
    assert set(statuses) <= {404, 409, 429, 503}


async def test_right_codes_are_not_counted(callers: Callers) -> None:
    party = callers.party()
    for _ in range(AT_DESK.burst * 2):
        code = await shown(await callers.citizen(await callers.town.ready()), DESK)
        body(await redeemed(party, code["code"], desk=DESK))
    missed = "SELECT count(*) FROM miss WHERE full_at_us > clock_us()"
    assert await callers.town.owner.fetchval(missed) == 0


def test_the_odds_of_guessing_are_those_in_the_documents() -> None:
    day_us = 86_400_000_000

    def daily(rate: Rate) -> int:
        return day_us // rate.interval_us

    assert daily(OF_PARTY) == 14_400
    assert daily(AT_DESK) == 2_880
