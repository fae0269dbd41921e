"""A browser arrives with a request: opened once, by its own reference, and signed in afresh."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.jwk import unb64url
from gateway.local import identity
from gateway.local.identity import Grant, IdentityFile, Provider
from tests.gateway import forge
from tests.gateway.city import TestCity
from tests.gateway.recognised.conftest import Arrive
from tests.gateway.recognised.home import IDP, REQUESTS, Citizen, client_of
from tests.gateway.recognised.others import Neighbours
from tests.gateway.recognised.partner import Attempt, Partner
from tests.gateway.recognised.test_push import refusals

REFUSED = "urn:qianjiang:problem:authorization-refused"


def refused(answer: httpx.Response) -> bool:
    """Told to the browser, and sent nowhere."""
    return (
        (answer.status_code, answer.json()["type"]) == (400, REFUSED)
        and "location" not in answer.headers
        and "set-cookie" not in answer.headers
    )


async def reference(partner: Partner, attempt: Attempt | None = None, **asked: Any) -> str:
    pushed = await partner.push(attempt, **asked)
    assert pushed.status_code == 201, pushed.text
    return str(pushed.json()["request_uri"])


# ------------------------------------------------------------------ before anybody may be answered


async def test_who_was_sent_by_nobody_is_sent_nowhere(partner: Partner, citizen: Citizen) -> None:
    uri = "urn:ietf:params:oauth:request_uri:" + "A" * 32
    for asked in ({}, {"client_id": partner.code}, {"request_uri": uri}, {"client_id": ""}):
        assert refused(await citizen.page.get("/oauth/authorize", params=asked)), asked
    for code in (partner.code, "999999", "330100", "x"):
        assert refused(await citizen.open(uri, code))


async def test_a_request_that_was_not_pushed_is_none(partner: Partner, citizen: Citizen) -> None:
    attempt = Attempt()
    asked = {
        "client_id": partner.code,
        "response_type": "code",
        "redirect_uri": partner.callback,
        "scope": "scenario:rent",
        "state": attempt.state,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
    }
    assert refused(await citizen.page.get("/oauth/authorize", params=asked))


@pytest.mark.parametrize(
    "beside",
    [{"redirect_uri": "https://evil.example/"}, {"scope": "scenario:rent"}, {"state": "x"}],
    ids=str,
)
async def test_nothing_stands_beside_what_was_pushed(
    partner: Partner, citizen: Citizen, beside: dict[str, str]
) -> None:
    uri = await reference(partner)
    asked = {"client_id": partner.code, "request_uri": uri} | beside
    assert refused(await citizen.page.get("/oauth/authorize", params=asked))
    assert (await citizen.open(uri, partner.code)).status_code == 303  # and nothing was used up


async def test_a_parameter_that_comes_twice_is_none(partner: Partner, citizen: Citizen) -> None:
    uri = await reference(partner)
    twice = f"/oauth/authorize?client_id={partner.code}&request_uri={uri}&request_uri={uri}"
    assert refused(await citizen.page.get(twice))


async def test_anothers_reference_is_nobodys(
    partner: Partner, stranger: Partner, citizen: Citizen
) -> None:
    uri = await reference(partner)
    assert refused(await citizen.open(uri, stranger.code))
    assert (await citizen.open(uri, partner.code)).status_code == 303


async def test_a_reference_without_its_prefix_is_none(partner: Partner, citizen: Citizen) -> None:
    handle = (await reference(partner)).rpartition(":")[2]
    assert refused(await citizen.open(handle, partner.code))


async def test_a_reference_is_opened_once_by_whoever_is_first(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    uri = await reference(partner)
    answers = await asyncio.gather(*(citizen.open(uri, partner.code) for _ in range(20)))
    assert [answer.status_code for answer in answers].count(303) == 1
    assert all(refused(answer) for answer in answers if answer.status_code != 303)
    assert refused(await citizen.open(uri, partner.code))
    assert sum((await refusals(town, "authorize")).values()) == 20, "each is on record"


async def test_a_reference_waits_a_minute_and_a_half(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    uri = await reference(partner)
    left = await town.owner.fetchval(
        "SELECT extract(epoch FROM expires_at - created_at)::int FROM recognition_request"
    )
    assert left == 90
    await town.owner.execute("UPDATE recognition_request SET expires_at = clock_timestamp()")
    assert refused(await citizen.open(uri, partner.code))


async def test_where_an_answer_may_go_is_looked_up_again(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    uri = await reference(partner)
    elsewhere = [f"{partner.issuer}/recognition/other"]
    neighbours.city(partner.code).changes["redirect_uris"] = elsewhere
    await neighbours.publish()
    assert refused(await citizen.open(uri, partner.code))
    neighbours.leave(partner.code)
    await neighbours.publish()
    assert refused(await citizen.open(uri, partner.code))


async def test_people_read_a_page(partner: Partner, citizen: Citizen) -> None:
    asked = {"client_id": partner.code, "request_uri": "x"}
    headers = {"accept": "text/html"}
    answer = await citizen.page.get("/oauth/authorize", params=asked, headers=headers)
    assert answer.status_code == 400
    assert "请回到那座城市重新开始" in answer.text
    assert 'href="/app/"' in answer.text


# ------------------------------------------------------------------ afterwards the city hears of it


async def test_a_partner_that_may_not_ask_any_more_is_told(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    attempt = Attempt()
    uri = await reference(partner, attempt)
    neighbours.disagree(partner.code)
    await neighbours.publish()
    answer = await citizen.open(uri, partner.code)
    assert answer.status_code == 303
    said = attempt.came_back(answer.headers["location"], partner)
    assert said["error"] == "unauthorized_client"
    assert "code" not in said
    assert refused(await citizen.open(uri, partner.code))


async def test_where_nobody_can_sign_in_the_city_is_told(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    async def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    attempt = Attempt()
    uri = await reference(partner, attempt)
    async with httpx.AsyncClient(transport=httpx.MockTransport(away)) as wire:
        town.city.oidc._opened = wire
        answer = await citizen.open(uri, partner.code)
    said = attempt.came_back(answer.headers["location"], partner)
    assert said["error"] == "temporarily_unavailable"


# ------------------------------------------------------------------ signed in afresh


async def test_the_provider_is_asked_for_a_fresh_sign_in(
    partner: Partner, citizen: Citizen
) -> None:
    opened = await citizen.open(await reference(partner), partner.code)
    asked = parse_qs(urlsplit(opened.headers["location"]).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    plain = await citizen.page.get("/v1/login", params={"return_to": "/app/"})
    assert "prompt" not in parse_qs(urlsplit(plain.headers["location"]).query)


async def test_a_session_from_before_reads_nothing(
    partner: Partner, arrive: Arrive, town: TestCity
) -> None:
    """Whoever signed in before, or afterwards for something else, signs in anew for this."""
    citizen = await arrive()
    await citizen.log_in()
    opened = await citizen.open(await reference(partner), partner.code)
    assert opened.status_code == 303
    request = await town.owner.fetchval("SELECT id FROM recognition_request")
    for _ in range(2):
        assert (await citizen.page.get(f"{REQUESTS}/{request}")).status_code == 404
        for act in ("allow", "decline"):
            answer = await citizen.post(f"{REQUESTS}/{request}/{act}", {"text_sha256": "0" * 64})
            assert answer.status_code == 404
        await citizen.log_in()


async def test_another_session_of_the_same_citizen_reads_nothing(
    partner: Partner, arrive: Arrive
) -> None:
    here, elsewhere = await arrive(), await arrive()
    path = await here.arrive(partner, Attempt())
    await elsewhere.log_in()
    assert (await elsewhere.page.get(path)).status_code == 404
    assert (await here.page.get(path)).status_code == 200


class Lax(Provider):
    """A provider that does not ask again; `said` is its `auth_time`."""

    said: object = ...

    def _id_token(self, grant: Grant) -> str:
        honest = super()._id_token(grant)
        said = msgspec.json.decode(unb64url(honest.split(".")[1])) | {"auth_time": self.said}
        head = forge.dumps({"alg": "ES256", "kid": self.key.kid, "typ": "JWT"})
        return forge.token(head, forge.dumps(said), self._signing)


@pytest.mark.parametrize("said", [..., None, "now", True, -60, 0], ids=str)
async def test_a_provider_that_did_not_ask_again_is_not_believed(
    partner: Partner, citizen: Citizen, town: TestCity, said: object
) -> None:
    now_s = SystemClock().now_us() // SECOND_US
    lax = Lax(IDP, IdentityFile((client_of(town),)), SystemClock(), SystemIds())
    lax.said = now_s + said if type(said) is int else said
    app: Any = identity.build_app(lax)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as wire:
        town.city.oidc._opened = citizen.away = wire
        opened = await citizen.open(await reference(partner), partner.code)
        signed_in = await wire.post(opened.headers["location"], data={"login": citizen.login})
        back = await citizen.page.get(signed_in.headers["location"])
    if said == 0:
        assert back.status_code == 303
        return
    assert (back.status_code, back.json()["type"]) == (400, "urn:qianjiang:problem:login-refused")
    assert await town.owner.fetchval("SELECT count(*) FROM session") == 0


async def test_the_answer_of_a_login_does_not_name_the_request(
    partner: Partner, citizen: Citizen
) -> None:
    """What the browser carries between is sealed: neither the state nor the cookie says whose."""
    attempt = Attempt()
    opened = await citizen.open(await reference(partner, attempt), partner.code)
    said = dict(parse_qsl(urlsplit(opened.headers["location"]).query))
    assert attempt.state not in said.values()
    assert attempt.state not in opened.headers["set-cookie"]
