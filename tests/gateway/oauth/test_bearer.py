"""How a token travels: in one Authorization field, and nowhere else (RFC 6750 2)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateway.callers import CHALLENGE
from tests.gateway.oauth.client import PartyClient

HOT = "/v1/scenarios/rent/eligibility"


async def ask(http: httpx.AsyncClient, **given: Any) -> httpx.Response:
    """A question whose subject is nobody's: it is answered 400 once the token has passed."""
    json = {"subject": "A" * 44, "facts": {}}
    return await http.post(HOT, **({"json": json} | given))


async def test_without_a_token_nothing_of_the_body_is_looked_at(http: httpx.AsyncClient) -> None:
    answer = await ask(http, json=None, content=b"\xff" * 100_000)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_in_the_address_is_none(merchant: PartyClient) -> None:
    token = await merchant.token()
    assert (await ask(merchant.http, params={"access_token": token})).status_code == 400
    assert (await ask(merchant.http, params={"authorization": token})).status_code == 401


async def test_a_token_in_a_form_is_none(merchant: PartyClient) -> None:
    token = await merchant.token()
    answer = await merchant.http.post(HOT, data={"access_token": token})
    assert answer.status_code == 401


async def test_a_token_in_a_cookie_is_none(merchant: PartyClient) -> None:
    cookie = {"cookie": f"access_token={await merchant.token()}; authorization=Bearer"}
    assert (await ask(merchant.http, headers=cookie)).status_code == 401


async def test_a_clients_assertion_is_no_access_token(merchant: PartyClient) -> None:
    headers = {"authorization": f"Bearer {merchant.assertion()}"}
    assert (await ask(merchant.http, headers=headers)).status_code == 401


async def test_every_bad_token_reads_alike(merchant: PartyClient) -> None:
    token = await merchant.token()
    bad = ["x", "a.b.c", token[:-2], token[:-4] + "AAAA", merchant.assertion(), f"{token}="]
    answers = [await ask(merchant.http, headers={"authorization": f"Bearer {t}"}) for t in bad]
    assert {(a.status_code, a.text, a.headers["www-authenticate"]) for a in answers} == {
        (401, answers[0].text, CHALLENGE)
    }
    assert all(t not in answers[0].text for t in bad if len(t) > 1)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_in_its_field_it_passes(merchant: PartyClient, scheme: str) -> None:
    headers = {"authorization": f"{scheme} {await merchant.token()}"}
    assert (await ask(merchant.http, headers=headers)).status_code == 400


async def test_a_scope_left_out_of_the_token_is_missing_in_use(merchant: PartyClient) -> None:
    """A party may ask for less than it has; the token then allows less."""
    await merchant.town.owner.execute(
        "INSERT INTO party_scenario SELECT party, 'library', recipient FROM party_scenario"
    )
    answer = await merchant.ask(scope="scenario:library")
    assert answer.json()["scope"] == "scenario:library"
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await ask(merchant.http, headers=headers)).status_code == 403
