"""The region's list: nothing forged passes, a bad entry is left out, a shared key condemns."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.claims import Kind
from gateway.clock import SECOND_US
from gateway.recognition.agreements import State, conclude
from gateway.recognition.entries import Memory
from gateway.recognition.region import RegionRefused, load_region, parse_region
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import (
    ListRefused,
    TrustList,
    read_kept,
    read_trust_list,
)
from tests.gateway import forge
from tests.gateway.attacks import attacks
from tests.gateway.forge import NOW_S
from tests.gateway.recognition.region import ISS, URL, City, TestRegion, new_key

A, B, C = City("330100"), City("330200"), City("330300")
NOW_US = NOW_S * SECOND_US


def read(region: TestRegion, token: str | None = None, **how: Any) -> TrustList:
    given: dict[str, Any] = {"iss": ISS, "url": URL, "now_us": NOW_US} | how
    return read_trust_list(token or region.token(NOW_S), region.region(), **given)


def reason(region: TestRegion, token: str, **how: Any) -> str:
    with pytest.raises(ListRefused) as caught:
        read(region, token, **how)
    return caught.value.reason


def left_out(region: TestRegion) -> dict[str, str]:
    return {each.name: each.reason for each in read(region).left_out}


# ------------------------------------------------------------------ the token


def test_no_forged_list_is_read() -> None:
    how: dict[str, Any] = {"iss": forge.ISSUER, "url": forge.AUDIENCE, "now_us": NOW_US}
    assert read_trust_list(forge.honest(Kind.TRUST_LIST), forge.KEYS, **how).serial == 1
    for name, token in attacks(Kind.TRUST_LIST):
        try:
            read_trust_list(token, forge.KEYS, **how)
        except ListRefused:
            continue
        pytest.fail(name)


def test_an_expired_anchor_names_nobody() -> None:
    region = TestRegion(A, B)
    assert read(region, now_us=NOW_US + 59 * SECOND_US).cities.keys() == {A.code, B.code}
    assert reason(region, region.token(NOW_S), now_us=NOW_US + 60 * SECOND_US) == "expired"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://region.example/"}, "issuer"),
        ({"sub": "https://region.example/other"}, "audience"),
        ({"exp": NOW_S + 61}, "lifetime"),
        ({"iat": NOW_S + 11, "exp": NOW_S + 60}, "not-yet"),
        ({"serial": 0}, "claims"),
        ({"ttl": 21}, "claims"),
        ({"cities": [{}] * 401}, "claims"),
        ({"cities": {}}, "claims"),
        ({"more": 1}, "claims"),
    ],
)
def test_a_bad_list_is_refused_whole(changes: dict[str, Any], why: str) -> None:
    region = TestRegion(A, B)
    assert reason(region, region.token(NOW_S, **changes)) == why


def test_only_the_pinned_key_signs_and_only_lists() -> None:
    region = TestRegion(A, B)
    assert reason(region, region.token(NOW_S, key=new_key())) == "signature"
    assert region.region().find(Kind.RECOGNITION, ISS, region.kid) is None
    head = forge.header(Kind.STATUS_LIST, kid=region.kid)
    other = forge.token(head, region.payload(NOW_S), region.private)
    assert reason(region, other) == "type"


def test_what_was_kept_is_checked_again_but_for_its_times() -> None:
    region = TestRegion(A, B)
    how: dict[str, Any] = {"iss": ISS, "url": URL}
    assert read_kept(region.token(NOW_S - 90_000), region.region(), **how).cities
    for odd in (region.token(NOW_S, key=new_key()), "", "a.b.c", region.token(NOW_S, iss="x")):
        with pytest.raises(ListRefused):
            read_kept(odd, region.region(), **how)


# ------------------------------------------------------------------ the pinned file


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"keys": []}',
        b'{"iss": "https://region.example", "keys": []}',
        b'{"iss": "https://region.example", "keys": [{"kty": "oct", "k": "AAAA"}]}',
        b'{"iss": "https://region.example", "keys": [{"kty": "RSA", "n": "AAAA", "e": "AQAB"}]}',
        b'{"iss": "\xff", "keys": [1]}',
    ],
)
def test_a_file_that_pins_nothing_is_refused(raw: bytes) -> None:
    with pytest.raises(RegionRefused):
        parse_region(raw)


def test_a_missing_file_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(RegionRefused, match=r"QIANJIANG_TRUST_LIST_KEYS.*ask the region"):
        load_region(tmp_path / "region.json")


# ------------------------------------------------------------------ its entries


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "3302"},
        {"issuer": "http://330200.example"},
        {"issuer": "https://330200.example/"},
        {"endpoints": {"par": "https://evil.example/par"}},
        {"redirect_uris": ["https://evil.example/recognition/callback"]},
        {"redirect_uris": []},
        {"keys": []},
        {"operators": []},
        {"contact": ...},
        {"more": 1},
        {"keys": 7},
        {"operators": [7, {"jwk": 7}]},
    ],
)
def test_a_bad_city_is_left_out_and_the_others_stay(changes: dict[str, Any]) -> None:
    bad = City("330200")
    bad.changes = changes
    region = TestRegion(A, bad, C)
    assert read(region).cities.keys() == {A.code, C.code}
    assert set(left_out(region).values()) == {"entry"}


def test_what_is_no_object_is_left_out_too() -> None:
    region = TestRegion(A)
    listed = read(region, region.token(NOW_S, cities=[A.entry(), 7, "x", [], None]))
    assert listed.cities.keys() == {A.code}
    assert len(listed.left_out) == 4


@pytest.mark.parametrize("place", ["client", "grant", "status", "operator"])
@pytest.mark.parametrize("other", ["client", "operator"])
def test_a_key_that_two_cities_share_condemns_both(place: str, other: str) -> None:
    """A20. Whatever each calls it and uses it for."""
    one, two, shared = City("330200"), City("330300"), new_key()
    for city, where in ((one, place), (two, other)):
        if where == "operator":
            city.operators.append(("示例", f"new-{city.code}", shared))
        else:
            city.keys.append((where, f"new-{city.code}", shared))
    region = TestRegion(A, one, two)
    assert read(region).cities.keys() == {A.code}
    assert left_out(region) == {one.code: "shared-key", two.code: "shared-key"}


def test_a_key_with_two_purposes_condemns_its_city() -> None:
    one = City("330200")
    purpose, _, key = one.keys[0]
    assert purpose == "client"
    one.keys.append(("grant", "again", key))
    assert left_out(TestRegion(A, one)) == {one.code: "shared-key"}


def test_a_key_shared_with_a_bad_entry_is_shared() -> None:
    one, bad = City("330200"), City("330300")
    bad.keys.append(("grant", "again", one.keys[1][2]))
    bad.changes = {"contact": ...}
    assert left_out(TestRegion(A, one, bad)) == {one.code: "shared-key", bad.code: "entry"}


def test_an_issuer_without_a_port_that_there_is_is_none() -> None:
    assert not left_out(TestRegion(A, City("330200", issuer="https://330200.example:65535")))
    region = TestRegion(A, City("330200", issuer="https://330200.example:65536"))
    assert left_out(region) == {"330200": "entry"}


def test_a_code_or_an_issuer_belongs_to_one() -> None:
    twin, squatter = City("330200"), City("330300", issuer="https://330400.example")
    region = TestRegion(A, City("330200"), twin, squatter, City("330400"))
    assert read(region).cities.keys() == {A.code}
    assert left_out(region) == {
        "330200": "code-twice",
        "330300": "issuer-twice",
        "330400": "issuer-twice",
    }


def test_what_was_remembered_is_read_no_differently() -> None:
    memory, one = Memory(), City("330200")
    region = TestRegion(A, one)
    first = read(region, memory=memory)
    assert read(region, memory=memory) == first
    one.operators = one.operators[:2]
    second = read(region, memory=memory)
    assert second == read(region)
    assert second.content != first.content
    region.cities = [A]
    assert read(region, memory=memory).cities.keys() == {A.code}
    assert len(memory.entries) == 1, "what is not in the list any more is forgotten"


# ------------------------------------------------------------------ its agreements


def state(region: TestRegion, name: str = "a-b", code: str = A.code) -> State | None:
    said = Statements(code).read(read(region)).get(name, ())
    agreement = conclude(name, said, NOW_US)
    return agreement.state if agreement else None


@pytest.fixture
def region() -> TestRegion:
    """Two cities that agreed, and a third."""
    region = TestRegion(A, B, C)
    region.agree("a-b", A, B, NOW_S - 100, **{"from": "2026-01-01", "to": "2028-01-01"})
    return region


def test_what_two_of_each_city_signed_is_in_force_at_both(region: TestRegion) -> None:
    assert state(region) is state(region, code=B.code) is State.IN_FORCE
    assert "a-b" not in Statements(C.code).read(read(region)), "it is none of a third city's"


def test_a_statement_is_nothing_without_its_operators_key(region: TestRegion) -> None:
    honest = region.agreements["a-b"]
    by_pair, terms = [A.code, B.code], {"from": "2026-01-01", "to": "2028-01-01"}
    impostor = City(B.code)
    for forged in (
        impostor.says(1, "sign", by_pair, NOW_S, agreement="a-b", **terms),
        B.says(1, "sign", by_pair, NOW_S, agreement="other", **terms),
        B.says(1, "sign", by_pair, NOW_S, agreement="a-b", aud="https://x.example", **terms),
        C.says(1, "sign", by_pair, NOW_S, agreement="a-b", **terms),
        C.says(1, "sign", by_pair, NOW_S, agreement="a-b", iss=B.issuer, **terms),
        "x",
        "..",
        "é.é.é",
    ):
        region.agreements["a-b"] = [*honest[:3], forged]
        assert state(region) is State.PROPOSED
    region.agreements["a-b"] = [
        *honest[:3],
        B.says(1, "sign", by_pair, 5, agreement="a-b", **terms),
    ]
    assert state(region) is State.IN_FORCE


def test_no_forged_statement_ends_an_agreement(region: TestRegion) -> None:
    for _, forged in attacks(Kind.AGREEMENT):
        if "\0" in forged:
            continue  # no list holds one
        region.agreements["a-b"] += [forged]
    assert state(region) is State.IN_FORCE


def test_a_person_with_two_keys_is_one_person(region: TestRegion) -> None:
    two_keys = City(B.code)
    (name, kid, key), *_ = two_keys.operators
    two_keys.operators[1] = (name, "second", two_keys.operators[1][2])
    assert kid != "second"
    assert key
    region.cities[1] = two_keys
    region.agreements.clear()
    terms = {"from": "2026-01-01", "to": "2028-01-01"}
    region.agree("a-b", A, two_keys, NOW_S - 100, **terms)
    assert state(region) is State.PROPOSED


def test_who_leaves_the_list_takes_the_signature_along(region: TestRegion) -> None:
    before = list(B.operators)
    try:
        del B.operators[1]
        assert state(region) is State.PROPOSED
    finally:
        B.operators[:] = before


def test_a_bad_agreement_is_left_out_and_the_others_stay(region: TestRegion) -> None:
    good = {"id": "a-b", "statements": region.agreements["a-b"]}
    odd: list[Any] = [
        7,
        {},
        {"id": "a b", "statements": ["x"]},
        {"id": "a-c", "statements": []},
        {"id": "a-c", "statements": ["x"] * 1025},
        {"id": "a-c", "statements": ["x"], "more": 1},
    ]
    twice = [{"id": "twice", "statements": ["x"]}] * 2
    listed = read(region, region.token(NOW_S, agreements=[good, *odd, *twice]))
    assert listed.agreements.keys() == {"a-b"}
    assert [each.reason for each in listed.left_out] == ["entry"] * len(odd) + ["id-twice"]


def test_a_statement_is_proved_once(region: TestRegion) -> None:
    statements, memory = Statements(A.code), Memory()
    statements.read(listed := read(region, memory=memory))
    assert len(statements._heard) == 4
    before = dict(statements._heard)
    statements.read(listed)
    assert all(statements._heard[place] is said for place, said in before.items())


def test_a_large_region_is_read_in_bounded_time() -> None:
    """As many cities as a list may hold, and each agrees with one of them."""
    cities = [City(str(330100 + n), operators=2) for n in range(400)]
    region = TestRegion(*cities)
    terms = {"from": "2026-01-01", "to": "2028-01-01"}
    for city in cities[1:]:
        region.agree(f"with-{city.code}", cities[0], city, NOW_S - 100, **terms)
    token, memory, statements = region.token(NOW_S), Memory(), Statements(cities[0].code)
    began = time.process_time()
    said = statements.read(read(region, token, memory=memory))
    first_s = time.process_time() - began
    assert len(said) == 399
    assert all(len(each) == 4 for each in said.values())
    assert first_s < 10  # 0.4 s; a second reading a third of it
    assert statements.read(read(region, token, memory=memory)) == said
