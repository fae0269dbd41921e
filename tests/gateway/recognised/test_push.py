"""A request is pushed by a city that proves itself, right in every part, or not at all."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from gateway.clock import SECOND_US
from gateway.store import housekeeping
from tests.gateway.city import TestCity
from tests.gateway.oauth.client import PartyClient
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.others import LATE, Neighbours
from tests.gateway.recognised.partner import Attempt, Partner, error
from tests.gateway.recognition.region import new_key
from tests.protocol import schemas


async def requests(town: TestCity) -> int:
    return int(await town.owner.fetchval("SELECT count(*) FROM recognition_request"))


async def refusals(town: TestCity, place: str) -> dict[tuple[str, str], int]:
    """(city, reason) → times."""
    rows = await town.owner.fetch(
        "SELECT city, reason, sum(times)::int AS times FROM recognition_refusal"
        " WHERE place = $1 GROUP BY city, reason",
        place,
    )
    return {(row["city"], row["reason"]): row["times"] for row in rows}


# ------------------------------------------------------------------ strangers


async def test_who_proves_nothing_pushes_nothing(partner: Partner, town: TestCity) -> None:
    for changes in ({"client_assertion": ...}, {"client_assertion_type": "x"}):
        assert error(await partner.push(**changes), 401) == "invalid_client"
    by_another = Partner(town, partner.http)  # the same city, with a key that is not in the list
    assert error(await by_another.push(), 401) == "invalid_client"
    assert await requests(town) == 0
    assert await refusals(town, "par") == {("", "no-assertion"): 2, ("", "signature"): 1}


async def test_a_city_that_is_not_listed_reads_what_a_wrong_key_reads(
    partner: Partner, town: TestCity, neighbours: Neighbours
) -> None:
    unknown = Partner(town, partner.http, "320500")
    wrong = Partner(town, partner.http)
    answers = [await each.push() for each in (unknown, wrong)]
    assert answers[0].content == answers[1].content
    assert {answer.status_code for answer in answers} == {401}
    await unknown.join(neighbours)
    assert (await unknown.push()).status_code == 201
    neighbours.leave("320500")
    await neighbours.publish()
    assert error(await unknown.push(), 401) == "invalid_client"


async def test_an_assertion_is_good_once_at_whichever_endpoint_it_comes_first(
    partner: Partner, town: TestCity
) -> None:
    signed = partner.assertion()
    assert (await partner.push(client_assertion=signed)).status_code == 201
    assert error(await partner.push(client_assertion=signed), 401) == "invalid_client"
    again = await partner.exchange("x", client_assertion=signed)
    assert error(again, 401) == "invalid_client"
    assert await refusals(town, "par") == {("", "replayed"): 1}


@pytest.mark.parametrize("audience", ["{issuer}/oauth/par", "{issuer}/", "https://330200.example"])
async def test_an_assertion_for_another_audience_is_none(partner: Partner, audience: str) -> None:
    aud = audience.format(issuer=partner.town.city.settings.issuer)
    signed = partner.assertion(aud=aud)
    assert error(await partner.push(client_assertion=signed), 401) == "invalid_client"


async def test_an_old_assertion_is_none(partner: Partner) -> None:
    now_s = partner.town.city.clock.now_us() // SECOND_US
    signed = partner.assertion(iat=now_s - 360, exp=now_s - 300)
    assert error(await partner.push(client_assertion=signed), 401) == "invalid_client"


async def test_a_partys_key_opens_nothing_for_cities_and_a_citys_nothing_for_parties(
    partner: Partner, town: TestCity, http: httpx.AsyncClient
) -> None:
    await town.party()
    party = PartyClient(town, http)
    await party.enrol()
    pushed = await partner.push(client_assertion=party.assertion(), client_id=party.name)
    assert error(pushed, 401) == "invalid_client"
    asked = await partner.post("/oauth/token", {"grant_type": "client_credentials"})
    assert error(asked, 401) == "invalid_client"


async def test_another_citys_name_goes_with_no_assertion_of_ours(
    partner: Partner, stranger: Partner
) -> None:
    assert error(await partner.push(client_id=stranger.code), 401) == "invalid_client"
    assert error(await partner.push(client_id=...)) == "invalid_request"


# ------------------------------------------------------------------ who may ask at all


async def test_without_an_agreement_in_force_nobody_asks(
    partner: Partner, town: TestCity, neighbours: Neighbours
) -> None:
    neighbours.disagree(partner.code)
    await neighbours.publish()
    assert error(await partner.push()) == "unauthorized_client"
    neighbours.agree(partner.code)
    await neighbours.publish()
    assert (await partner.push()).status_code == 201
    assert await refusals(town, "par") == {(partner.code, "no-agreement"): 1}


async def test_a_scheme_that_is_unknown_or_yet_to_come_opens_nothing(
    partner: Partner, neighbours: Neighbours
) -> None:
    unknown = {"id": "example-unknown", "version": 1}
    for city in (neighbours.own, neighbours.city(partner.code)):
        city.changes["schemes"] = [*city.changes["schemes"], unknown]
    for scheme in (unknown, LATE):
        neighbours.agree(partner.code, scheme=scheme)
        await neighbours.publish()
        assert error(await partner.push()) == "unauthorized_client"


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_a_suspended_partner_asks_nothing(
    partner: Partner, town: TestCity, status: str
) -> None:
    # Acknowledged elsewhere: this worker has not heard of it.
    await town.owner.execute("UPDATE party SET status = $1", status)
    assert error(await partner.push()) == "unauthorized_client"
    await town.owner.execute("UPDATE party SET status = 'active'")
    assert (await partner.push()).status_code == 201


async def test_a_listed_city_without_a_party_here_asks_nothing(
    partner: Partner, town: TestCity, neighbours: Neighbours
) -> None:
    unknown = Partner(town, partner.http, "310100")
    unknown.list_key(neighbours)
    neighbours.agree("310100")
    await neighbours.publish()
    assert error(await unknown.push()) == "unauthorized_client"


async def test_a_city_is_no_partner_of_itself(
    partner: Partner, town: TestCity, neighbours: Neighbours
) -> None:
    own = Partner(town, partner.http, town.city.settings.city)
    own.list_key(neighbours)
    await neighbours.publish()
    assert error(await own.push()) == "unauthorized_client"


async def test_a_partners_own_limit_counts(partner: Partner, town: TestCity) -> None:
    await town.owner.execute("UPDATE party SET rate_per_s = 1, rate_burst = 1")
    await town.city.parties.refresh(force=True)
    answers = [await partner.push() for _ in range(3)]
    assert answers[-1].status_code == 429
    assert "retry-after" in answers[-1].headers


# ------------------------------------------------------------------ right in every part


async def test_an_honest_request_gets_a_reference_that_says_nothing(
    partner: Partner, town: TestCity
) -> None:
    attempt = Attempt()
    answer = await partner.push(attempt)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    said = answer.json()
    assert set(said) == {"request_uri", "expires_in"}
    assert said["expires_in"] == 90
    prefix, _, handle = said["request_uri"].rpartition(":")
    assert prefix == "urn:ietf:params:oauth:request_uri"
    assert len(handle) * 6 >= 128
    kept = await town.owner.fetchval("SELECT row_to_json(r)::text FROM recognition_request AS r")
    assert handle not in kept


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a response type that is none": ({"response_type": "token"}, "unsupported_response_type"),
    "no response type": ({"response_type": ...}, "invalid_request"),
    "a response mode": ({"response_mode": "form_post"}, "invalid_request"),
    "no redirect URI": ({"redirect_uri": ...}, "invalid_request"),
    "a path below": ({"redirect_uri": "https://330200.example/recognition/callback/x"}, ""),
    "another host": ({"redirect_uri": "https://evil.example/recognition/callback"}, ""),
    "another spelling": ({"redirect_uri": "https://330200.EXAMPLE/recognition/callback"}, ""),
    "a query": ({"redirect_uri": "https://330200.example/recognition/callback?a=b"}, ""),
    "a prefix": ({"redirect_uri": "https://330200.example/recognition/callbac"}, ""),
    "another city's": ({"redirect_uri": "https://320500.example/recognition/callback"}, ""),
    "no state": ({"state": ...}, ""),
    "a short state": ({"state": "x" * 15}, ""),
    "a long state": ({"state": "x" * 129}, ""),
    "a state with a blank": ({"state": "x" * 16 + " "}, ""),
    "no challenge": ({"code_challenge": ...}, ""),
    "a challenge that is no hash": ({"code_challenge": "x" * 42}, ""),
    "a plain challenge": ({"code_challenge_method": "plain"}, ""),
    "the default method, which is plain": ({"code_challenge_method": ...}, ""),
    "another spelling of the method": ({"code_challenge_method": "s256"}, ""),
    "no key": ({"cnf_jkt": ...}, ""),
    "a key that is no thumbprint": ({"cnf_jkt": "x" * 44}, ""),
    "a request inside": ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, ""),
    "a request object": ({"request": "a.b.c"}, ""),
    "no scope": ({"scope": ...}, "invalid_scope"),
    "a scope that is none": ({"scope": "library"}, "invalid_scope"),
    "an empty scenario": ({"scope": "scenario:"}, "invalid_scope"),
    "a scenario twice": ({"scope": "scenario:rent scenario:rent"}, "invalid_scope"),
    "two blanks": ({"scope": "scenario:rent  scenario:library"}, "invalid_scope"),
    "a scenario beyond the agreement": ({"scope": "scenario:hospital"}, "invalid_scope"),
    "one within and one beyond": ({"scope": "scenario:rent scenario:points"}, "invalid_scope"),
    "two ways to authenticate": ({"client_secret": "x"}, ""),
}


@pytest.mark.parametrize("state", ["~" * 16, "".join(map(chr, range(0x21, 0x7F)))])
async def test_a_state_is_of_any_visible_characters(partner: Partner, state: str) -> None:
    written = schemas.document("par-request.json")["properties"]["state"]["pattern"]
    assert re.search(written, state)
    assert (await partner.push(state=state)).status_code == 201


@pytest.mark.parametrize("name", WRONG)
async def test_a_request_with_one_fault_is_not_taken(
    partner: Partner, stranger: Partner, town: TestCity, name: str
) -> None:
    changes, code = WRONG[name]
    assert error(await partner.push(**changes)) == (code or "invalid_request")
    assert await requests(town) == 0
    (((_, reason), times),) = (await refusals(town, "par")).items()
    assert (bool(reason), times) == (True, 1)


@pytest.mark.parametrize("name", ["state", "redirect_uri", "scope", "client_assertion"])
async def test_a_parameter_that_comes_twice_is_none(partner: Partner, name: str) -> None:
    form = f"{name}=a&{name}=b"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await partner.http.post("/oauth/par", content=form, headers=headers)
    assert error(answer) == "invalid_request"


async def test_parameters_travel_in_the_body_alone(partner: Partner) -> None:
    asked = await partner.http.post("/oauth/par?client_id=330200", data={"state": "x"})
    assert error(asked) == "invalid_request"
    assert error(await partner.http.post("/oauth/par", json={})) == "invalid_request"
    basic = await partner.http.post("/oauth/par", data={"a": "b"}, auth=("330200", "x"))
    assert error(basic) == "invalid_request"


async def test_what_is_not_known_is_passed_over(partner: Partner) -> None:
    assert (await partner.push(ui_locales="zh-CN", response_mode="query")).status_code == 201


async def test_a_rotated_key_counts_as_soon_as_it_is_listed(
    partner: Partner, neighbours: Neighbours
) -> None:
    partner.private = new_key()
    assert error(await partner.push(), 401) == "invalid_client"
    partner.list_key(neighbours)
    await neighbours.publish()
    assert (await partner.push()).status_code == 201


async def test_what_nobody_signed_in_for_is_forgotten_after_a_minute(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    """A city can push thousands a second."""
    await citizen.arrive(partner, Attempt())
    opened = await partner.push()
    await citizen.open(opened.json()["request_uri"], partner.code)
    await partner.push()
    counted = "SELECT count(*) FROM recognition_request"
    for age_s, left in ((59, 3), (61, 1), (86_401, 0)):
        await town.owner.execute(
            "UPDATE recognition_request SET expires_at = now() - $1 * interval '1 second'", age_s
        )
        async with town.city.database.connection() as connection:
            await housekeeping.forget(connection, "recognition_requests", 100)
        assert await town.owner.fetchval(counted) == left
