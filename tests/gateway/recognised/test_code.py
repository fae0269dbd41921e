"""A code is redeemed once, by the city it was made for, with the verifier that only it knows."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import Attempt, Partner, error
from tests.gateway.recognised.test_push import refusals
from tests.gateway.recognition.region import new_key


async def status(town: TestCity) -> str:
    return str(await town.owner.fetchval("SELECT status FROM recognition_request"))


# ------------------------------------------------------------------ strangers


async def test_without_the_citys_own_key_a_code_is_worth_nothing(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    assert error(await partner.redeem(attempt, client_assertion=...), 401) == "invalid_client"
    thief = Partner(town, partner.http)
    assert error(await thief.redeem(attempt), 401) == "invalid_client"
    assert (await partner.redeem(attempt)).status_code == 200


async def test_another_citys_code_is_nobodys_and_stays_its_own(
    partner: Partner, stranger: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    for callback in (stranger.callback, partner.callback):
        answer = await stranger.redeem(attempt, redirect_uri=callback)
        assert error(answer) == "invalid_grant"
    assert await refusals(town, "code") == {("320500", "code-of-another"): 2}
    assert (await partner.redeem(attempt)).status_code == 200


async def test_without_an_agreement_in_force_a_code_buys_nothing(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    attempt = await citizen.visit(partner)
    neighbours.disagree(partner.code)
    await neighbours.publish()
    assert error(await partner.redeem(attempt)) == "unauthorized_client"
    neighbours.agree(partner.code)
    city = neighbours.leave(partner.code)
    await neighbours.publish()
    assert error(await partner.redeem(attempt), 401) == "invalid_client"
    neighbours.region.cities.append(city)
    keys, city.keys = city.keys, [(*city.keys[0][:2], new_key()), *city.keys[1:]]
    await neighbours.publish()  # its key was revoked
    assert error(await partner.redeem(attempt), 401) == "invalid_client"
    city.keys = keys
    await neighbours.publish()
    assert (await partner.redeem(attempt)).status_code == 200


# ------------------------------------------------------------------ what belongs together


async def test_an_honest_code_buys_an_opaque_token_for_a_minute(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    answer = await partner.redeem(attempt)
    said = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert said == {
        "access_token": said["access_token"],
        "token_type": "Bearer",
        "expires_in": 60,
        "scope": "scenario:library scenario:rent",
    }
    assert "." not in said["access_token"]
    kept = await town.owner.fetchval("SELECT row_to_json(r)::text FROM recognition_request AS r")
    assert said["access_token"] not in kept
    as_bearer = {"authorization": f"Bearer {said['access_token']}"}
    hot = "/v1/scenarios/recognition/eligibility"
    assert (await partner.http.post(hot, json={}, headers=as_bearer)).status_code == 401


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another verifier": ({"code_verifier": "x" * 43}, "invalid_grant"),
    "the challenge as the verifier": ({"code_verifier": "{challenge}"}, "invalid_grant"),
    "a short verifier": ({"code_verifier": "x"}, "invalid_grant"),
    "a verifier of other characters": ({"code_verifier": "é" * 43}, "invalid_grant"),
    "another redirect URI of its own": (
        {"redirect_uri": "https://330200.example/recognition/other"},
        "invalid_grant",
    ),
    "another spelling": (
        {"redirect_uri": "https://330200.example/recognition/callback/"},
        "invalid_grant",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_code_is_tried_once_by_its_city(
    partner: Partner, citizen: Citizen, town: TestCity, name: str
) -> None:
    changes, code = WRONG[name]
    attempt = await citizen.visit(partner)
    changes = {k: v.format(challenge=attempt.challenge) for k, v in changes.items()}
    assert error(await partner.redeem(attempt, **changes)) == code
    assert await status(town) == "void"
    assert error(await partner.redeem(attempt)) == "invalid_grant"


@pytest.mark.parametrize("name", ["code", "code_verifier", "redirect_uri"])
async def test_a_request_without_one_of_its_parts_uses_nothing_up(
    partner: Partner, citizen: Citizen, name: str
) -> None:
    attempt = await citizen.visit(partner)
    missing: dict[str, Any] = {name: ...}
    assert error(await partner.redeem(attempt, **missing)) == "invalid_request"
    assert error(await partner.redeem(attempt, **{name: ""})) == "invalid_request"
    assert (await partner.redeem(attempt)).status_code == 200


async def test_codes_that_nobody_was_given_buy_nothing(partner: Partner) -> None:
    for code in ("x", "A" * 43, "é", " " * 43):
        attempt = Attempt()
        attempt.code = code
        assert error(await partner.redeem(attempt)) == "invalid_grant"


async def test_a_code_waits_a_minute(partner: Partner, citizen: Citizen, town: TestCity) -> None:
    attempt = await citizen.visit(partner)
    left = await town.owner.fetchval(
        "SELECT extract(epoch FROM code_until - clock_timestamp()) FROM recognition_request"
    )
    assert 0 < left <= 60
    await town.owner.execute("UPDATE recognition_request SET code_until = clock_timestamp()")
    assert error(await partner.redeem(attempt)) == "invalid_grant"
    assert await refusals(town, "code") == {("330200", "code-expired"): 1}


async def test_two_attempts_do_not_mix(partner: Partner, citizen: Citizen) -> None:
    """A code that was planted in another attempt fails by that attempt's verifier."""
    one, other = await citizen.visit(partner), await citizen.visit(partner)
    one.code, other.code = other.code, one.code
    for attempt in (one, other):
        assert error(await partner.redeem(attempt)) == "invalid_grant"


# ------------------------------------------------------------------ once


async def test_a_code_that_comes_again_makes_void_what_it_bought(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    token = await partner.token(attempt)
    assert error(await partner.redeem(attempt)) == "invalid_grant"
    assert error(await partner.exchange(token)) == "invalid_grant"
    assert await status(town) == "void"
    assert await town.owner.fetchval("SELECT count(*) FROM recognition") == 0


async def test_a_code_that_comes_again_ends_the_recognition_it_led_to(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    await partner.grant(attempt)
    before = await town.owner.fetchval("SELECT version FROM standing")
    for _ in range(2):
        assert error(await partner.redeem(attempt)) == "invalid_grant"
    row = await town.owner.fetchrow("SELECT reason, ended_at FROM recognition")
    assert row is not None
    assert (row["reason"], row["ended_at"] is not None) == ("code-replayed", True)
    assert await town.owner.fetchval("SELECT version FROM standing") > before


async def test_of_two_hundred_redemptions_over_two_workers_one_is_answered(
    partner: Partner, citizen: Citizen, other_worker: TestCity
) -> None:
    attempt = await citizen.visit(partner)
    issuer = partner.town.city.settings.issuer
    transport = transport_of(other_worker.city)
    async with httpx.AsyncClient(transport=transport, base_url=issuer) as elsewhere:
        second = Partner(partner.town, elsewhere)
        second.private = partner.private
        answers = await asyncio.gather(
            *((partner, second)[n % 2].redeem(attempt) for n in range(200))
        )
    granted = [answer for answer in answers if answer.status_code == 200]
    assert len(granted) == 1
    # A worker whose connections are all taken says so, and has then changed nothing.
    refused = [answer.json()["error"] for answer in answers if answer.status_code != 200]
    assert "invalid_grant" in refused
    assert set(refused) <= {"invalid_grant", "temporarily_unavailable"}
    # It came two hundred times, so what it bought is void.
    assert error(await partner.exchange(granted[0].json()["access_token"])) == "invalid_grant"
