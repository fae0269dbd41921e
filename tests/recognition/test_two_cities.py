"""Two cities on one machine are two cities: nothing of one is good at the other."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from gateway.claims import Kind, TrustListClaims
from gateway.clock import SystemClock
from gateway.jose import Passed, verify
from gateway.jwk import Key, parse_jwks
from gateway.recognition.entry import parse_entry
from tests.pair import Pair, Traveller


class Pinned:
    """The region's keys, as a city pins them."""

    def __init__(self, raw: bytes) -> None:
        self._keys = parse_jwks(raw)

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        return self._keys.get(kid) if kind is Kind.TRUST_LIST else None


def trust_list(pair: Pair) -> TrustListClaims:
    """The region's list as anybody gets it."""
    fetched = httpx.get(pair.region.url)
    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "application/trust-list+jwt"
    passed = verify(
        fetched.text,
        Kind.TRUST_LIST,
        Pinned(pair.region.region.pinned()),
        issuer=pair.region.region.file.id,
        audience=pair.region.url,
        now_us=SystemClock().now_us(),
    )
    assert isinstance(passed, Passed), passed
    assert isinstance(passed.claims, TrustListClaims)
    return passed.claims


def test_the_list_names_both_cities_with_the_keys_that_each_really_has(pair: Pair) -> None:
    cities = [parse_entry(bytes(raw), allow_loopback_http=True) for raw in trust_list(pair).cities]
    assert [city.entry.code for city in cities] == ["330100", "330200"]
    for city in cities:
        side = pair.side(city.entry.code)
        assert city.entry.issuer == side.base_url
        held = side.keys.city_client | side.keys.city_grant | side.keys.city_status
        assert {kid for _, kid in city.keys} == held.keys()
        for (_, kid), key in city.keys.items():
            assert key.public == held[kid].public_key()


def test_both_operators_of_both_cities_signed_the_agreement(pair: Pair) -> None:
    (raw,) = trust_list(pair).agreements
    assert len(msgspec.json.decode(raw)["statements"]) >= 4


def test_an_expelled_city_is_off_the_list_at_once_and_comes_back_with_a_higher_serial(
    pair: Pair,
) -> None:
    before = trust_list(pair)
    with pair.region.without("330200"):
        without = trust_list(pair)
        assert len(without.cities) == 1
        assert without.agreements == ()
    after = trust_list(pair)
    assert before.serial < without.serial < after.serial
    assert (before.cities, before.agreements) == (after.cities, after.agreements)


def test_each_city_says_who_it_is(pair: Pair) -> None:
    for side in (pair.a, pair.b):
        metadata = httpx.get(f"{side.base_url}/.well-known/oauth-authorization-server").json()
        assert metadata["issuer"] == side.base_url
        assert side.rows("SELECT city FROM realm")[0]["city"] == side.code
        with Traveller() as stranger:
            page = stranger.get(side, "/app/sign-in").text
        assert side.city.office in page
        assert side.city.contact in page
    assert pair.a.owner_url != pair.b.owner_url
    assert pair.a.keys.subject != pair.b.keys.subject


@pytest.mark.parametrize("home", ["330100", "330200"])
def test_a_session_of_one_city_is_none_at_the_other(pair: Pair, home: str) -> None:
    here = pair.side(home)
    there = pair.other(here)
    with Traveller() as somebody:
        assert somebody.get(here, "/v1/me").status_code == 401
        assert somebody.sign_in(here, here.person(band=3)).status_code == 303
        assert somebody.get(here, "/v1/me").json()["score"]["band"] == 3
        assert somebody.get(there, "/v1/me").status_code == 401


def test_a_partys_token_of_one_city_is_none_at_the_other(pair: Pair) -> None:
    subject = pair.a.subject("lin", "example-library-main")
    body = {"subject": subject, "facts": {"items": 1}}
    path = "/v1/scenarios/library/eligibility"
    with pair.a.party("example-library-main") as library:
        assert library.post(path, json=body).status_code == 200
        assert library.post(pair.b.base_url + path, json=body).status_code == 401


def test_a_person_of_each_band_has_just_that_score(pair: Pair) -> None:
    for band in range(1, 6):
        with Traveller() as somebody:
            somebody.sign_in(pair.b, pair.b.person(band))
            assert somebody.get(pair.b, "/v1/me").json()["score"]["band"] == band
