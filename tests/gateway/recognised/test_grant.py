"""The grant says what the protocol lists and nothing besides: no name, number, score or band."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.jose import Passed, verify
from gateway.jwk import Alg, Key, unb64url
from gateway.local.people import person_of_login
from tests.gateway.apps import transport_of
from tests.gateway.city import TestCity
from tests.gateway.recognised.conftest import Arrive
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.others import STEEP, Neighbours
from tests.gateway.recognised.partner import JWT, Attempt, Partner

CLAIMS = {
    *("iss", "aud", "client_id", "sub", "jti", "iat", "exp", "cnf", "recognition", "status"),
}
RECOGNITION = {
    *("scheme", "scheme_version", "tier", "scenarios", "as_of", "consent_id", "policy_revision"),
}


class GrantKeys:
    """The grant keys of the home city, as its entry would list them."""

    def __init__(self, town: TestCity) -> None:
        self.town = town

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        key = self.town.city.keys.city_grant.get(kid)
        wanted = kind is Kind.RECOGNITION and issuer == self.town.city.settings.issuer
        return Key(kid, Alg.ES256, key.public_key()) if wanted and key is not None else None


# ------------------------------------------------------------------ what it says


async def test_it_says_what_the_protocol_lists_and_nothing_besides(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    answer = await partner.exchange(await partner.token(await citizen.visit(partner)))
    said = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert {name: said[name] for name in said if name != "access_token"} == {
        "issued_token_type": JWT,
        "token_type": "N_A",
        "expires_in": 60,
        "scope": "scenario:library scenario:rent",
    }
    issuer, now_us = town.city.settings.issuer, town.city.clock.now_us()
    passed = verify(
        said["access_token"],
        Kind.RECOGNITION,
        GrantKeys(town),
        issuer=issuer,
        audience=partner.issuer,
        now_us=now_us,
    )
    assert isinstance(passed, Passed), passed
    header, payload = (msgspec.json.decode(unb64url(each)) for each in _parts(said))
    assert header == {
        "alg": "ES256",
        "kid": list(town.city.keys.city_grant)[-1],
        "typ": "recognition+jwt",
    }
    assert set(payload) == CLAIMS
    assert set(payload["recognition"]) == RECOGNITION
    assert set(payload["cnf"]) == {"jkt"}
    assert set(payload["status"]) == {"status_list"}
    assert set(payload["status"]["status_list"]) == {"idx", "uri"}
    assert payload["exp"] - payload["iat"] == 60
    assert abs(payload["iat"] - now_us // SECOND_US) <= 2
    (consent,) = (await citizen.page.get("/v1/me/consents")).json()["consents"]
    rule = town.city.registry["recognition"]
    assert payload["recognition"] == {
        "scheme": "example-delta",
        "scheme_version": 1,
        "tier": "T1",
        "scenarios": ["library", "rent"],
        "as_of": "2026-11-01",
        "consent_id": consent["id"],
        "policy_revision": rule.revision.hex(),
    }
    assert (payload["client_id"], payload["cnf"]["jkt"]) == (partner.code, partner.jkt)


def _parts(said: dict[str, Any]) -> list[str]:
    return str(said["access_token"]).split(".")[:2]


async def test_it_names_nobody(partner: Partner, citizen: Citizen, town: TestCity) -> None:
    claims = str(await partner.grant(await citizen.visit(partner)))
    who = person_of_login(citizen.login)
    assert who is not None
    identifier = await citizen.id()
    secrets = [who.name, who.id_number, who.login, str(identifier), identifier.hex, "600"]
    assert [each for each in secrets if each in claims] == []


async def test_it_carries_the_lowest_tier_that_is_needed_whoever_it_is_about(
    partner: Partner, arrive: Arrive
) -> None:
    """Two citizens of different bands cannot be told apart by what is said of them."""
    said = []
    for number, band in ((1, 4), (2, 5)):
        claims = await partner.grant(await (await arrive(number, band)).visit(partner))
        own = {"sub", "jti", "iat", "exp", "status"}
        claims["recognition"].pop("consent_id")
        said.append({name: claims[name] for name in claims.keys() - own})
    assert said[0] == said[1]
    assert said[0]["recognition"]["tier"] == "T1"


async def test_the_tier_follows_the_scenarios(
    partner: Partner, citizen: Citizen, neighbours: Neighbours
) -> None:
    neighbours.agree(partner.code, scheme=STEEP)
    await neighbours.publish()
    both = await partner.grant(await citizen.visit(partner))
    library = await partner.grant(await citizen.visit(partner), scope="scenario:library")
    assert both["recognition"]["tier"] == "T2"
    assert library["recognition"]["tier"] == "T1"


async def test_a_citizen_has_one_name_at_a_city_and_another_at_every_other(
    partner: Partner, stranger: Partner, citizen: Citizen, arrive: Arrive
) -> None:
    here = [await partner.grant(await citizen.visit(partner)) for _ in range(2)]
    there = await stranger.grant(await citizen.visit(stranger))
    somebody = await partner.grant(await (await arrive(2)).visit(partner))
    assert here[0]["sub"] == here[1]["sub"]
    assert len({here[0]["sub"], there["sub"], somebody["sub"]}) == 3
    # Nothing in what two cities hold of one citizen is the same.
    for name in ("jti", "sub", "status", "aud", "client_id", "cnf"):
        assert here[1][name] != there[name], name
    assert here[1]["recognition"]["consent_id"] != there["recognition"]["consent_id"]


# ------------------------------------------------------------------ decided and recorded first


async def test_the_citizen_sees_who_asked_for_what(partner: Partner, citizen: Citizen) -> None:
    assert (await citizen.visit(partner)).code
    await citizen.log_in()
    assert (await citizen.page.get("/v1/me/lookups")).json()["lookups"] == []
    await partner.grant(await citizen.visit(partner))
    lookups = (await citizen.page.get("/v1/me/lookups")).json()["lookups"]
    assert len(lookups) == 2
    assert {each["party"] for each in lookups} == {"city-330200"}
    seen = [
        (await citizen.page.get(f"/v1/decisions/{each['decision_id']}")).json() for each in lookups
    ]
    assert {each["outcome"] for each in seen} == {"eligible"}
    assert {(each["facts"]["city"], each["facts"]["scenario"]) for each in seen} == {
        ("330200", "library"),
        ("330200", "rent"),
    }


async def test_what_is_said_is_on_record_with_all_that_it_rests_on(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    claims = await partner.grant(await citizen.visit(partner))
    row = await town.owner.fetchrow("SELECT * FROM recognition")
    assert row is not None
    assert (row["id"], row["citizen"]) == (UUID(claims["jti"]), await citizen.id())
    assert (row["city"], row["scenarios"]) == ("330200", ["library", "rent"])
    assert (row["tier"], row["band_floor"], row["reserved_fen"]) == ("T1", 4, 50_000)
    assert (row["scheme"], row["scheme_version"]) == ("example-delta", 1)
    assert str(row["consent"]) == claims["recognition"]["consent_id"]
    assert claims["status"]["status_list"]["idx"] == row["status_idx"]
    until = await town.owner.fetchval("SELECT to_at FROM consent")
    assert (row["until_at"], row["ended_at"]) == (until, None)


async def test_without_published_scores_nothing_is_said(
    partner: Partner, citizen: Citizen, town: TestCity
) -> None:
    token = await partner.token(await citizen.visit(partner))
    await town.owner.execute("DELETE FROM publish_run")
    await town.city.refresh()
    answer = await partner.exchange(token)
    assert answer.json()["error"] == "invalid_grant"


# ------------------------------------------------------------------ one at a time


async def test_a_new_one_ends_the_former_one_to_the_same_city_and_no_other(
    partner: Partner, stranger: Partner, citizen: Citizen, town: TestCity
) -> None:
    for city in (partner, stranger, partner):
        await city.grant(await citizen.visit(city))
    rows = await town.owner.fetch("SELECT city, reason FROM recognition ORDER BY number")
    assert [tuple(row) for row in rows] == [
        ("330200", "replaced"),
        ("320500", None),
        ("330200", None),
    ]


async def test_many_at_once_leave_one_living(
    partner: Partner, citizen: Citizen, town: TestCity, other_worker: TestCity
) -> None:
    tokens = [
        await partner.token(await citizen.visit(partner, scope="scenario:library"))
        for _ in range(6)
    ]
    transport = transport_of(other_worker.city)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700") as http:
        second = Partner(town, http)
        second.private = partner.private
        answers = await asyncio.gather(
            *((partner, second)[n % 2].exchange(token) for n, token in enumerate(tokens))
        )
    made = sum(answer.status_code == 200 for answer in answers)
    assert made >= 1
    assert {answer.status_code for answer in answers} <= {200, 503}  # 503: another was writing
    living = await town.owner.fetchval("SELECT count(*) FROM recognition WHERE ended_at IS NULL")
    assert (living, await town.owner.fetchval("SELECT count(*) FROM recognition")) == (1, made)


# ------------------------------------------------------------------ n cities never mean n caps


async def test_what_is_kept_for_cities_never_exceeds_the_own_limit(
    partner: Partner, stranger: Partner, arrive: Arrive, town: TestCity, neighbours: Neighbours
) -> None:
    third = Partner(town, partner.http, "310100")
    await third.join(neighbours)
    fourth = Partner(town, partner.http, "340100")
    await fourth.join(neighbours)
    fifth = Partner(town, partner.http, "330400")
    await fifth.join(neighbours)
    citizen = await arrive(1, 4)  # may have 200,000 fen waived at the same time
    said = [
        (await city.grant(await citizen.visit(city)))["recognition"]["scenarios"]
        for city in (partner, stranger, third, fourth, fifth)
    ]
    assert said == [["library", "rent"]] * 4 + [["library"]]
    # The same city again has what it has.
    again = await partner.grant(await citizen.visit(partner))
    assert again["recognition"]["scenarios"] == ["library", "rent"]
    kept = "SELECT sum(reserved_fen) FROM recognition WHERE ended_at IS NULL"
    assert await town.owner.fetchval(kept) == 200_000


@pytest.mark.parametrize(("waived_fen", "rent"), [(150_000, True), (150_001, False)])
async def test_what_is_waived_at_home_leaves_less_for_others(
    partner: Partner, arrive: Arrive, town: TestCity, waived_fen: int, rent: bool
) -> None:
    citizen = await arrive(1, 4)
    async with town.city.writer.change(await citizen.id()):
        await town.owner.execute(
            "INSERT INTO waiver (id, citizen, entity, deposit_fen, opened_at)"
            " VALUES ('w-1', $1, 'shop', $2, clock_timestamp())",
            *(await citizen.id(), waived_fen),
        )
    shown = await citizen.shown(await citizen.arrive(partner, Attempt()))
    assert [each["open"] for each in shown["scenarios"]] == [True, rent]
    claims = await partner.grant(await citizen.visit(partner))
    assert ("rent" in claims["recognition"]["scenarios"]) is rent
