"""No chain of cities raises anybody, and a published table never changes what was granted."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.scheme_text import TEXT_MAX_BYTES, SchemeError, parse_scheme
from scenarios.schemes import Scheme, beyond_own_bands, in_force
from scenarios.units import BANDS

QUICK = settings(max_examples=200, deadline=None)
SEEDS = Path(__file__).parents[2] / "seeds" / "schemes"
EXAMPLE = (SEEDS / "example-delta-1.toml").read_text(encoding="utf-8")
SCENARIOS = ("library", "rent", "points", "hospital")
CITIES = ("330100", "330200", "320500", "310000")
NOBODY = 0


def seed(version: int) -> Scheme:
    path = SEEDS / f"example-delta-{version}.toml"
    return parse_scheme(path.read_bytes(), path.name)


@st.composite
def schemes(draw: st.DrawFn) -> Scheme:
    """Any table that is accepted, by way of its text."""
    tiers = [f"T{number}" for number in range(1, draw(st.integers(1, 4)) + 1)]
    tables = [
        f'[needs.{scenario}]\ntier = "{draw(st.sampled_from(tiers))}"\nsource = "示例"'
        for scenario in SCENARIOS
    ]
    fen = sorted(draw(st.lists(st.integers(0, 1000), min_size=len(tiers), max_size=len(tiers))))
    tables.append(f'[limits.rent]\nfen = {by_tier(tiers, fen)}\nsource = "示例"')
    edges = st.lists(
        st.integers(1, 20), min_size=len(tiers) + 1, max_size=len(tiers) + 1, unique=True
    )
    for city in CITIES:
        spans = [[low, high] for low, high in pairwise(sorted(draw(edges)))]
        tables.append(f'[cities.{city}]\nbands = {by_tier(tiers, spans)}\nsource = "示例"')
    names = ", ".join(f'"{tier}"' for tier in tiers)
    head = f'id = "any"\nversion = 1\nfrom = 2026-01-01\ntiers = [{names}]'
    title = '[title]\nzh = "示例"\nen = "example"'
    return parse_scheme("\n".join([head, title, *tables]).encode(), "any.toml")


def by_tier(tiers: list[str], values: list[Any]) -> str:
    pairs = ", ".join(f"{tier} = {value}" for tier, value in zip(tiers, values, strict=True))
    return f"{{ {pairs} }}"


def rank(scheme: Scheme, tier: str | None) -> int:
    return -1 if tier is None else scheme.tiers.index(tier)


@QUICK
@given(scheme=schemes(), city=st.sampled_from(CITIES), low=st.integers(0, 19))
def test_a_better_band_is_never_a_lower_tier(scheme: Scheme, city: str, low: int) -> None:
    end = scheme.cities[city].bands[scheme.tiers[-1]][1]
    ranks = [rank(scheme, scheme.tier_of(city, band)) for band in range(low, end)]
    assert ranks == sorted(ranks)


@QUICK
@given(scheme=schemes(), city=st.sampled_from(CITIES))
def test_a_visitor_stands_in_the_tier_that_came_and_at_its_lowest_band(
    scheme: Scheme, city: str
) -> None:
    for tier in scheme.tiers:
        band = scheme.band_of(city, tier)
        assert scheme.tier_of(city, band) == tier
        assert scheme.tier_of(city, band - 1) != tier


@QUICK
@given(scheme=schemes(), city=st.sampled_from(CITIES))
def test_who_has_no_score_has_no_tier_and_the_table_ends_where_it_says(
    scheme: Scheme, city: str
) -> None:
    end = scheme.cities[city].bands[scheme.tiers[-1]][1]
    assert scheme.tier_of(city, NOBODY) is None
    assert scheme.tier_of(city, end) is None
    assert scheme.tier_of(city, end - 1) == scheme.tiers[-1]


@QUICK
@given(
    scheme=schemes(),
    band=st.integers(0, 20),
    chain=st.lists(
        st.tuples(st.sampled_from(CITIES), st.sets(st.sampled_from(SCENARIOS), min_size=1)),
        min_size=2,
        max_size=8,
    ),
)
def test_no_chain_of_cities_gains_a_tier(
    scheme: Scheme, band: int, chain: list[tuple[str, set[str]]]
) -> None:
    """Even if visitors were passed on, which no city does: each hop keeps a tier or lowers it."""
    first = best = rank(scheme, scheme.tier_of(chain[0][0], band))
    for (here, wanted), (there, _) in pairwise(chain):
        recognised = scheme.open_to(scheme.tier_of(here, band), sorted(wanted))
        if not recognised:
            return
        band = scheme.band_of(there, scheme.needed(recognised))
        arrived = rank(scheme, scheme.tier_of(there, band))
        assert arrived <= best
        best = arrived
    assert best <= first


@QUICK
@given(
    scheme=schemes(),
    band=st.integers(0, 20),
    city=st.sampled_from(CITIES),
    wanted=st.lists(st.sampled_from((*SCENARIOS, "unheard_of")), min_size=1),
)
def test_what_is_vouched_for_is_what_the_scenarios_need_and_nothing_of_the_citizen(
    scheme: Scheme, band: int, city: str, wanted: list[str]
) -> None:
    own = scheme.tier_of(city, band)
    listed = scheme.open_to(own, wanted)
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(wanted) - {"unheard_of"}
    for scenario in set(wanted) & set(SCENARIOS) - set(listed):
        assert rank(scheme, scheme.needs[scenario].tier) > rank(scheme, own)
    if listed:
        tier = scheme.needed(listed)
        needs = [rank(scheme, scheme.needs[scenario].tier) for scenario in listed]
        assert rank(scheme, tier) == max(needs) <= rank(scheme, own)


@QUICK
@given(scheme=schemes(), wanted=st.sets(st.sampled_from(SCENARIOS), min_size=1))
def test_two_citizens_of_different_tiers_are_vouched_for_alike(
    scheme: Scheme, wanted: set[str]
) -> None:
    needed = scheme.needed(wanted)
    for tier in scheme.tiers[scheme.tiers.index(needed) :]:
        listed = scheme.open_to(tier, sorted(wanted))
        assert (set(listed), scheme.needed(listed)) == (wanted, needed)


@QUICK
@given(scheme=schemes())
def test_a_higher_tier_has_no_lower_limit_and_what_is_no_money_has_none(scheme: Scheme) -> None:
    limits = [scheme.limit("rent", tier) for tier in scheme.tiers]
    assert limits == sorted(limit for limit in limits if limit is not None)
    assert {scheme.limit("library", tier) for tier in scheme.tiers} == {None}


def test_a_tier_is_needed_by_something() -> None:
    with pytest.raises(ValueError, match="empty"):
        seed(1).needed([])
    with pytest.raises(KeyError):
        seed(1).needed(["unheard_of"])


@QUICK
@given(gaps=st.lists(st.integers(1, 400), min_size=1, max_size=5), day=st.integers(-10, 2000))
def test_a_change_never_reaches_back(gaps: list[int], day: int) -> None:
    start, versions, asked = date(2026, 1, 1), [], date(2026, 1, 1) + timedelta(days=day)
    for number, gap in enumerate(gaps, start=1):
        versions.append(msgspec.structs.replace(seed(1), version=number, start=start))
        start += timedelta(days=gap)
    last = versions.pop()
    before, after = in_force(versions, asked), in_force([*versions, last], asked)
    assert after == (last if asked >= last.start else before)


def test_before_its_first_day_a_scheme_is_not_in_force() -> None:
    assert in_force([seed(2), seed(1)], date(2025, 12, 31)) is None
    assert in_force([seed(2), seed(1)], date(2026, 1, 1)) == seed(1)
    assert in_force([seed(2), seed(1)], date(2026, 3, 1)) == seed(2)


def test_the_examples_are_invented_and_say_so() -> None:
    for scheme in (seed(1), seed(2)):
        figures = [*scheme.needs.values(), *scheme.limits.values(), *scheme.cities.values()]
        assert all(figure.illustrative and "示例" in figure.source for figure in figures)
        assert {"330100", "330200", "320500"} <= scheme.cities.keys()
        assert not [tier for city in scheme.cities for tier in beyond_own_bands(scheme, city)]
    assert seed(1).cities != seed(2).cities


def test_a_tier_of_bands_that_this_gateway_does_not_have_is_found() -> None:
    raw = EXAMPLE.replace("T1 = [3, 4], T2 = [4, 6]", "T1 = [3, 9], T2 = [9, 10]").encode()
    scheme = parse_scheme(raw, "x.toml")
    assert beyond_own_bands(scheme, "320500") == ["T2"]
    assert beyond_own_bands(scheme, "999999") == []
    assert max(BANDS) < 9


def test_what_anybody_may_read_is_what_the_text_says() -> None:
    document = msgspec.json.decode(msgspec.json.encode(seed(1).public()))
    assert document["from"] == "2026-01-01"
    assert document["cities"]["330200"]["bands"] == {"T1": [3, 5], "T2": [5, 6]}
    assert document["needs"]["rent"]["tier"] == "T1"
    assert document["limits"]["rent"]["fen"] == {"T1": 50_000, "T2": 100_000}
    assert msgspec.convert(document, Scheme) == seed(1)


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        (("version = 1", "version = 0"), "version", ">= 1"),
        (("version = 1", "version = "), "(file)", "not TOML"),
        (("from = 2026-01-01", "starts = 2026-01-01"), "(file)", "starts"),
        (('tiers = ["T1", "T2"]', 'tiers = ["T1", "T1"]'), "tiers", "twice"),
        (('tier = "T1"', 'tier = "T7"'), "needs.library.tier", "no tier `T7`"),
        (("[needs.library]", "[needs.Library]"), "needs.Library", "regex"),
        (("illustrative", "ilustrative"), "needs.library", "ilustrative"),
        (("[limits.rent]", "[limits.cinema]"), "limits.cinema", "No tier is needed"),
        (("T1 = 50_000", "T1 = 500_000"), "limits.rent.fen", "lower limit"),
        (("T1 = 50_000, ", ""), "limits.rent.fen", "`T1` is missing"),
        (("[cities.330200]", "[cities.3302]"), "cities.3302", "regex"),
        (("T1 = [4, 5]", "T1 = [0, 5]"), "cities.330100.bands[0]", ">= 1"),
        (("T1 = [4, 5]", "T1 = [5, 5]"), "cities.330100.bands", "ends before"),
        (("T1 = [4, 5]", "T1 = [3, 4]"), "cities.330100.bands", "does not begin where"),
        (("T1 = [4, 5], T2 = [5, 6]", "T1 = [4, 5]"), "cities.330100.bands", "`T2` is missing"),
        (("T2 = [5, 6]", "T2 = [5, 6], T3 = [6, 7]"), "cities.330100.bands", "no tier `T3`"),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_remedy(
    wrong: tuple[str, str], field: str, says: str
) -> None:
    text = EXAMPLE.replace(*wrong, 1)
    assert text != EXAMPLE
    with pytest.raises(SchemeError) as caught:
        parse_scheme(text.encode(), "wrong.toml")
    problem = caught.value.problems[0]
    assert (problem.file, problem.field) == ("wrong.toml", field)
    assert says in problem.message
    assert problem.remedy
    written = text.splitlines()[problem.line - 1]
    assert field == "(file)" or field.split(".")[-1].split("[")[0] in written


def test_every_fault_is_told_at_once() -> None:
    text = EXAMPLE.replace("[3, 5]", "[0, 5]").replace("T1 = 50_000", "T1 = -1")
    with pytest.raises(SchemeError) as caught:
        parse_scheme(text.encode(), "wrong.toml")
    assert [each.field for each in caught.value.problems] == [
        "limits.rent.fen",
        "cities.330200.bands[0]",
    ]


@pytest.mark.parametrize("raw", [b"\xff", b"#" * (TEXT_MAX_BYTES + 1), b"", b"needs = 1"])
def test_what_is_no_scheme_at_all_is_a_problem_and_no_crash(raw: bytes) -> None:
    with pytest.raises(SchemeError):
        parse_scheme(raw, "x.toml")
