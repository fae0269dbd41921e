"""A new entry neither harms the list nor undoes what operators ended."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.claims import Kind
from gateway.client_keys import new_client_key, private_key
from gateway.jose import sign
from gateway.local import alliance, region_rules
from gateway.local.atlas import HANGZHOU, NINGBO, SUZHOU
from gateway.local.region_rules import RegionDeclines
from gateway.recognition.entry import EntryRefused, Operator
from tests.gateway.local.test_region import ADDRESS, NOW_S, Place, address_of


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Two cities with an agreement that all four operators signed."""
    place = Place(tmp_path)
    for city in (HANGZHOU, NINGBO):
        place.region.admit(place.entry(city))
    for one, other in ((HANGZHOU, NINGBO), (NINGBO, HANGZHOU)):
        for compact in place.said(one, other):
            place.region.accept(compact)
    return place


def impostor(place: Place) -> bytes:
    """苏州's entry under 杭州's code."""
    return place.entry(SUZHOU, code=HANGZHOU.code)


def test_a_city_takes_no_other_citys_code_unless_it_is_said_and_the_way_back_is_kept(
    place: Place,
) -> None:
    before = place.list()
    with pytest.raises(RegionDeclines) as refused:
        place.region.admit(impostor(place))
    for words in (
        f"330100 on the list is 杭州（示例） at {address_of(HANGZHOU)}",
        f"another issuer, {address_of(SUZHOU)}",
        "out of force would be: example-330100-330200",
    ):
        assert words in str(refused.value)
    assert place.list() == before
    replaced = place.region.admit(impostor(place), replace=True)
    assert replaced.lost == ("example-330100-330200",)
    assert place.region.cities()["330100"].entry.issuer == address_of(SUZHOU)
    assert replaced.former is not None
    back = place.region.admit(replaced.former.read_bytes(), replace=True)
    assert back.lost == ()
    after = place.list()
    assert (after.cities, after.agreements) == (before.cities, before.agreements)


def test_a_city_with_everything_new_at_its_address_is_asked_after_and_with_one_key_left_is_not(
    place: Place,
) -> None:
    anew = place.entry(SUZHOU, code=HANGZHOU.code).decode()
    anew = anew.replace(address_of(SUZHOU), address_of(HANGZHOU))
    with pytest.raises(RegionDeclines, match="none in common"):
        place.region.admit(anew.encode())
    here, there = (msgspec.json.decode(place.entry(each)) for each in (HANGZHOU, SUZHOU))
    new_people = here | {"operators": there["operators"]}
    assert place.region.admit(msgspec.json.encode(new_people)).former is None
    new_keys = new_people | {"keys": there["keys"]}
    assert place.region.admit(msgspec.json.encode(new_keys)).former is None


def test_what_was_ended_is_not_undone_by_taking_the_place(place: Place) -> None:
    for compact in place.said(HANGZHOU, NINGBO, "end"):
        place.region.accept(compact)
    with pytest.raises(RegionDeclines, match="have two who stay say so first"):
        place.region.admit(impostor(place), replace=True)


def successor(name: str, private: dict[str, str] | None = None) -> Operator:
    """A new person with a new key."""
    key = private or new_client_key().private
    return Operator(name=name, jwk={part: value for part, value in key.items() if part != "d"})


@pytest.mark.parametrize("act", ["end", "suspend"])
def test_nobody_leaves_by_whose_leaving_an_end_or_a_suspension_would_be_undone(
    place: Place, act: alliance.Act
) -> None:
    key = new_client_key().private
    third = successor("示例-丙", key)
    there = msgspec.json.decode(place.entry(HANGZHOU))["operators"]
    first, second = (msgspec.convert(each, Operator) for each in there)
    place.region.admit(place.entry(HANGZHOU, operators=(first, second, third)))
    # With the third one's signature the terms stand without the first.
    terms = msgspec.structs.replace(
        alliance.statement(ADDRESS, "sign", HANGZHOU, NINGBO),
        iss=address_of(HANGZHOU),
        iat=NOW_S,
    )
    place.region.accept(sign(Kind.AGREEMENT, terms, key["kid"], private_key(key)))
    for compact in place.said(HANGZHOU, NINGBO, act):
        place.region.accept(compact)
    without = place.entry(HANGZHOU, operators=(second, third))
    with pytest.raises(RegionDeclines, match="have two who stay say so first"):
        place.region.admit(without)
    again = msgspec.structs.replace(
        alliance.statement(ADDRESS, act, HANGZHOU, NINGBO), iss=address_of(HANGZHOU), iat=NOW_S
    )
    place.region.accept(sign(Kind.AGREEMENT, again, key["kid"], private_key(key)))
    place.region.admit(without)


def test_an_id_belongs_to_the_pair_that_used_it_first(place: Place) -> None:
    place.region.admit(place.entry(SUZHOU))
    for compact in place.said(SUZHOU, NINGBO, agreement="example-330100-330200"):
        with pytest.raises(RegionDeclines, match="another pair's agreement"):
            place.region.accept(compact)


@pytest.mark.parametrize(
    ("before", "after"),
    [('"contact":"', '"contact":"\\u0000'), ('{"code":"', '{"c\\u006fde":"320500","code":"')],
)
def test_an_entry_that_would_cost_the_whole_list_is_refused(
    place: Place, before: str, after: str
) -> None:
    raw = place.entry(SUZHOU).decode().replace(before, after, 1)
    with pytest.raises(EntryRefused, match="not harmless"):
        place.region.admit(raw.encode())
    assert len(place.list().cities) == 2


def test_another_citys_address_or_one_key_twice_is_not_admitted(place: Place) -> None:
    elsewhere = place.entry(SUZHOU).decode().replace("127.0.0.5", "127.0.0.1")
    with pytest.raises(RegionDeclines, match=r"^320500: issuer: .* is that of 330100 杭州"):
        place.region.admit(elsewhere.encode())
    one = successor("示例-甲")
    twice = (one, msgspec.structs.replace(one, name="示例-乙", jwk=one.jwk | {"kid": "other"}))
    with pytest.raises(RegionDeclines, match="the key is that of operators: 示例-甲"):
        place.region.admit(place.entry(SUZHOU, operators=twice))


@pytest.mark.parametrize("names", [("X", "X\u200b"), ("X", "x "), ("Ｘ", "X"), (" ", "X")])
def test_two_operators_are_two_people_who_can_be_told_apart(
    place: Place, names: tuple[str, str]
) -> None:
    operators = tuple(successor(name) for name in names)
    with pytest.raises(RegionDeclines, match="operator"):
        place.region.admit(place.entry(SUZHOU, operators=operators))


def test_what_would_make_the_list_too_long_for_its_readers_is_not_filed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, further = place.list(), place.said(NINGBO, HANGZHOU, "suspend")
    monkeypatch.setattr(region_rules, "MAX_BYTES", len(place.region.publish()) + 2_000)
    for act in (
        lambda: place.region.accept(further[0]),
        lambda: place.region.admit(place.entry(SUZHOU)),
        lambda: place.region.admit(place.entry(NINGBO, contact="x" * 200)),
    ):
        with pytest.raises(RegionDeclines, match="readers take"):
            act()
    assert place.list() == before
