"""What a code bought is exchanged once, for a grant to the city that asks and for nothing wider."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.gateway.city import TestCity
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import JWT, Attempt, Partner, claims_of, error
from tests.gateway.recognised.test_push import refusals


async def nothing_said(town: TestCity) -> bool:
    """Neither a recognition nor an answer."""
    counts = "SELECT (SELECT count(*) FROM recognition) + (SELECT count(*) FROM decision)"
    return bool(await town.owner.fetchval(counts) == 0)


@pytest.fixture
async def token(partner: Partner, citizen: Citizen) -> str:
    """What a code bought."""
    return await partner.token(await citizen.visit(partner))


# ------------------------------------------------------------------ strangers


async def test_without_the_citys_own_key_a_token_is_worth_nothing(
    partner: Partner, town: TestCity, token: str
) -> None:
    assert error(await partner.exchange(token, client_assertion=...), 401) == "invalid_client"
    thief = Partner(town, partner.http)
    assert error(await thief.exchange(token), 401) == "invalid_client"
    assert await nothing_said(town)


async def test_another_citys_token_is_nobodys_and_stays_its_own(
    partner: Partner, stranger: Partner, town: TestCity, token: str
) -> None:
    assert error(await stranger.exchange(token)) == "invalid_grant"
    assert await refusals(town, "exchange") == {("320500", "subject-token"): 1}
    assert await nothing_said(town)
    assert (await partner.exchange(token)).status_code == 200


async def test_tokens_of_other_kinds_are_not_exchanged(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    caller = town.city.parties.get("city-330200")
    assert caller is not None
    access = town.city.tokens.issue(caller, "k1", ["scenario:recognition"]).token
    uri = (await partner.push()).json()["request_uri"]
    for other in (attempt.code, access, partner.assertion(), uri, "x", "é"):
        assert error(await partner.exchange(other)) == "invalid_grant"
    assert await nothing_said(town)


async def test_a_grant_is_not_exchanged_again(
    partner: Partner, token: str, stranger: Partner
) -> None:
    """Nobody passes on what was said to another, or says it to oneself twice."""
    grant = (await partner.exchange(token)).json()["access_token"]
    for city in (partner, stranger):
        assert error(await city.exchange(grant)) == "invalid_grant"
        typed = await city.exchange(grant, subject_token_type=JWT)
        assert error(typed) == "invalid_request"


# ------------------------------------------------------------------ what may be asked for

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no subject token": ({"subject_token": ...}, "invalid_request"),
    "no type of it": ({"subject_token_type": ...}, "invalid_request"),
    "another type of it": ({"subject_token_type": JWT}, "invalid_request"),
    "another type wanted": (
        {"requested_token_type": "urn:ietf:params:oauth:token-type:access_token"},
        "invalid_request",
    ),
    "an actor": ({"actor_token": "x", "actor_token_type": JWT}, "invalid_request"),
    "no audience": ({"audience": ...}, "invalid_target"),
    "this city": ({"audience": "http://127.0.0.1:8700"}, "invalid_target"),
    "another city": ({"audience": "https://320500.example"}, "invalid_target"),
    "another spelling of itself": ({"audience": "https://330200.example/"}, "invalid_target"),
    "its token endpoint": ({"audience": "https://330200.example/oauth/token"}, "invalid_target"),
    "a resource": ({"resource": "https://330200.example"}, "invalid_target"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_request_with_one_fault_uses_nothing_up(
    partner: Partner, stranger: Partner, town: TestCity, token: str, name: str
) -> None:
    changes, code = WRONG[name]
    assert error(await partner.exchange(token, **changes)) == code
    assert await nothing_said(town)
    assert (await partner.exchange(token, requested_token_type=JWT)).status_code == 200


async def test_no_wider_scope_is_given_than_was_allowed(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    for scope in ("scenario:library scenario:rent", "scenario:rent", "rent", "scenario:hospital"):
        token = await partner.token(await citizen.visit(partner, scope="scenario:library"))
        assert error(await partner.exchange(token, scope=scope)) == "invalid_scope", scope
    assert await nothing_said(town)


async def test_a_narrower_scope_is_given(partner: Partner, token: str) -> None:
    answer = await partner.exchange(token, scope="scenario:library")
    said = answer.json()
    assert said["scope"] == "scenario:library"
    assert claims_of(said["access_token"])["recognition"]["scenarios"] == ["library"]


@pytest.mark.parametrize("what", ["agreement", "city", "party"])
async def test_what_ended_between_the_two_cities_ends_this_too(
    partner: Partner, town: TestCity, neighbours: Neighbours, token: str, what: str
) -> None:
    if what == "agreement":
        neighbours.disagree(partner.code)
    elif what == "city":
        neighbours.leave(partner.code)
    else:
        await town.owner.execute("UPDATE party SET status = 'suspended'")
    await neighbours.publish()
    answer = await partner.exchange(token)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("unauthorized_client", "invalid_client")
    assert await nothing_said(town)


# ------------------------------------------------------------------ once


async def test_a_token_waits_a_minute(partner: Partner, town: TestCity, token: str) -> None:
    left = await town.owner.fetchval(
        "SELECT extract(epoch FROM token_until - clock_timestamp()) FROM recognition_request"
    )
    assert 0 < left <= 60
    await town.owner.execute("UPDATE recognition_request SET token_until = clock_timestamp()")
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await nothing_said(town)


async def test_a_token_is_exchanged_once(partner: Partner, town: TestCity, token: str) -> None:
    answers = await asyncio.gather(*(partner.exchange(token) for _ in range(20)))
    granted = [answer for answer in answers if answer.status_code == 200]
    assert len(granted) == 1
    assert {error(a) for a in answers if a.status_code != 200} == {"invalid_grant"}
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 1
    assert await town.owner.fetchval("SELECT count(*) FROM decision") == 2  # one a scenario


# ------------------------------------------------------------------ what it rests on


async def test_a_withdrawal_before_the_exchange_leaves_nothing_to_say(
    partner: Partner, citizen: Citizen, town: TestCity, token: str
) -> None:
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert (await citizen.post(f"/v1/me/consents/{held['id']}/withdraw")).status_code == 200
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 0
    assert await refusals(town, "exchange") == {("330200", "not-open"): 1}


@pytest.mark.parametrize("act", ["pause", "withdraw"])
async def test_a_withdrawal_before_the_code_is_redeemed_does_too(
    partner: Partner, citizen: Citizen, town: TestCity, act: str
) -> None:
    attempt = await citizen.visit(partner)
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    await citizen.post(f"/v1/me/consents/{held['id']}/{act}")
    assert error(await partner.exchange(await partner.token(attempt))) == "invalid_grant"
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 0


async def test_what_was_withdrawn_does_not_come_back_with_a_later_consent(
    partner: Partner, citizen: Citizen, town: TestCity, token: str
) -> None:
    """Renting was allowed, and taken back; reading, which is allowed now, is all there is."""
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    await citizen.post(f"/v1/me/consents/{held['id']}/withdraw")
    later = await citizen.visit(partner, scope="scenario:library")
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await refusals(town, "exchange") == {("330200", "consent-ended"): 1}
    assert (await partner.grant(later))["recognition"]["scenarios"] == ["library"]


async def test_a_band_that_fell_meanwhile_leaves_nothing_to_say(
    partner: Partner, citizen: Citizen, town: TestCity, token: str
) -> None:
    await citizen.band(3)
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 0


async def test_a_closed_account_is_nobodys(
    partner: Partner, citizen: Citizen, town: TestCity, token: str
) -> None:
    closing = town.city.closing
    await closing.close(await citizen.id(), closing.text.sha256)
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await town.owner.fetchval("SELECT count(*) FROM recognition_request") == 0


async def test_a_withdrawal_at_the_same_moment_comes_first_or_ends_it(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    """Whichever is first: when the withdrawal is acknowledged, nothing that was said stands."""
    made = 0
    for _ in range(12):
        token = await partner.token(await citizen.visit(partner, scope="scenario:library"))
        (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
        withdrawing = citizen.post(f"/v1/me/consents/{held['id']}/withdraw")
        exchanged, withdrawn = await asyncio.gather(partner.exchange(token), withdrawing)
        assert withdrawn.status_code == 200
        assert exchanged.status_code in (200, 400)
        made += exchanged.status_code == 200
        # In the very moment of the acknowledgement nothing stands.
        living = "SELECT count(*) FROM recognition WHERE ended_at IS NULL"
        assert await town.owner.fetchval(living) == 0
    rows = await town.owner.fetch("SELECT reason FROM recognition")
    assert [row["reason"] for row in rows] == ["consent-gone"] * made


@pytest.mark.parametrize("act", ["pause", "withdraw"])
async def test_a_withdrawal_afterwards_ends_what_was_said(
    partner: Partner, citizen: Citizen, town: TestCity, token: str, act: str
) -> None:
    grant = claims_of((await partner.exchange(token)).json()["access_token"])
    (held,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    assert held["id"] == grant["recognition"]["consent_id"]
    assert (await citizen.post(f"/v1/me/consents/{held['id']}/{act}")).status_code == 200
    (mine,) = (await citizen.page.get("/v1/me/recognitions")).json()["recognitions"]
    assert (mine["id"], mine["status"], mine["withdraw"]) == (grant["jti"], "ended", None)


async def test_no_way_ends_in_an_error_of_ours(partner: Partner, citizen: Citizen) -> None:
    attempt = Attempt()
    attempt.code = "x" * 10_000
    for answer in (
        await partner.redeem(attempt),
        await partner.exchange("x" * 10_000),
        await partner.exchange("\x00", scope="\x00"),
        await partner.push(state="\x00" * 20),
    ):
        assert answer.status_code == 400, answer.text
