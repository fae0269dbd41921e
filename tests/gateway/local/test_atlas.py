"""Every city of one machine has addresses of its own, on this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.atlas import (
    HANGZHOU,
    NINGBO,
    REGION_HOST,
    SUZHOU,
    NoSuchCity,
    chosen_city,
    demo_city,
)
from gateway.local.running import GATEWAY_HOST, IDENTITY_HOST
from gateway.local.seeds import seeds_of

codes = st.integers(min_value=100_000, max_value=999_999).map(str)


@given(codes, codes)
def test_two_cities_share_no_address(one: str, other: str) -> None:
    hosts = [
        host
        for code in {one, other}
        for host in (demo_city(code).gateway_host, demo_city(code).identity_host)
    ]
    assert len({*hosts, REGION_HOST}) == len(hosts) + 1
    assert all(ip_address(host).is_loopback for host in hosts)
    assert {demo_city(one).slug, demo_city(other).slug} == {demo_city(c).slug for c in {one, other}}
    assert (demo_city(one).slug == demo_city(other).slug) is (one == other)


@pytest.mark.parametrize("code", ["", "33010", "3301000", "hangzhou", "03301 ", "３３０１００"])
def test_what_is_no_code_is_no_city(code: str) -> None:
    with pytest.raises(NoSuchCity, match="six digits"):
        demo_city(code)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("320501", "320500 苏州 Suzhou. For another one say its name too: 320501=NAME"),
        ("32050", "six digits"),
        ("320500=吴", "has a name here: 苏州"),
        ("320583=", "1 to 20 letters"),
        ("320583= \u200b", "1 to 20 letters"),
        ("320583=" + "x" * 21, "1 to 20 letters"),
    ],
)
def test_a_city_that_is_not_known_is_made_by_its_name_alone(text: str, told: str) -> None:
    with pytest.raises(NoSuchCity, match=re.escape(told)):
        chosen_city(text)


def test_a_city_that_is_named_is_where_its_code_leads() -> None:
    made, plain = chosen_city(" 320583=昆山 "), demo_city("320583")
    assert (made.zh, made.slug, made.gateway_host) == ("昆山", "320583", plain.gateway_host)
    assert chosen_city("320500") == SUZHOU


def test_the_cities_of_the_demonstration_are_where_people_look_for_them() -> None:
    assert (GATEWAY_HOST, IDENTITY_HOST) == ("127.0.0.1", "127.0.0.2")
    assert [city.code for city in (HANGZHOU, NINGBO, SUZHOU)] == ["330100", "330200", "320500"]
    assert demo_city("330200") == NINGBO


def test_a_city_without_seeds_begins_with_nobody() -> None:
    seeds = seeds_of("310000")
    assert (seeds.parties.party, seeds.personas, seeds.day) == ([], (), ())
