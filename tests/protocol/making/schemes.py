"""`schemes.json`: tiers and bands of section 4."""

from __future__ import annotations

from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.jws import GONE
from tests.protocol.making.world import A, B, C, scale, scheme


def make() -> Group:
    """The file."""
    group = Group(
        "Section 4. `ask` says what is asked of the `scheme`: whether it is one (`document`), the "
        "tier of a city's band (`tier`), a tier's band at a city (`band`), the lowest tier that "
        "scenarios need (`needed`), the limit of a scenario in a tier (`limit`), or which band "
        "is left of a `band` at the first of some cities when it is carried through the others "
        "(`carry`).",
        {"ask": "document", "scheme": scheme()},
    )
    for part in (_documents, _tiers, _bands, _needs, _carries):
        part(group)
    return group


def _documents(group: Group) -> None:
    group.accept("plain", "nothing is wrong", {})
    group.accept("no-limits", "limits may be missing", {}, scheme=scheme(limits=GONE))
    group.accept("one-tier", "one tier is enough", {}, scheme=_one_tier())
    for name in ("id", "version", "from", "title", "tiers", "needs", "cities"):
        group.refuse(f"without-{name}", f"{name} is missing", "form", scheme=scheme(**{name: GONE}))
    for name, why, changes in (
        ("unknown-member", "a member more", {"note": "示例"}),
        ("version-none", "version 0", {"version": 0}),
        ("from-moment", "from is a moment", {"from": "2026-01-01T00:00:00Z"}),
        ("no-tiers", "no tiers", {"tiers": []}),
        ("one-city", "one city only", {"cities": {A: scheme()["cities"][A]}}),
        ("city-code", "no code of a city", {"cities": scheme()["cities"] | {"hangzhou": scale()}}),
    ):
        group.refuse(name, why, "form", scheme=scheme(**changes))
    needs, limits = scheme()["needs"], scheme()["limits"]
    for name, why, changes in (
        ("tier-twice", "a tier is named twice", {"tiers": ["T1", "T2", "T2", "T3"]}),
        ("need-unknown", "a scenario needs an unknown tier",
         {"needs": needs | {"rent": needs["rent"] | {"tier": "T9"}}}),
        ("limit-without-need", "a limit of a scenario that nobody needs a tier for",
         {"limits": {"hospital": limits["rent"]}}),
        ("limit-missing", "a tier has no limit", {"limits": _limits(T1=0, T2=50_000)}),
        ("limit-falls", "a higher tier, a lower limit", {"limits": _limits(T1=9, T2=5, T3=6)}),
    ):  # fmt: skip
        group.refuse(name, why, "meaning", scheme=scheme(**changes))
    for name, why, bands in (
        ("gap", "a gap between two tiers", {"T1": [2, 3], "T2": [4, 5], "T3": [5, 6]}),
        ("overlap", "two tiers overlap", {"T1": [2, 5], "T2": [4, 5], "T3": [5, 6]}),
        ("empty", "an interval is empty", {"T1": [4, 4], "T2": [4, 5], "T3": [5, 6]}),
        ("backwards", "an interval runs backwards", {"T1": [4, 2], "T2": [2, 5], "T3": [5, 6]}),
        ("descending", "tiers descend", {"T1": [5, 6], "T2": [4, 5], "T3": [2, 4]}),
        ("missing", "a tier is missing", {"T1": [2, 4], "T2": [4, 5]}),
        ("unknown", "a tier that is none",
         {"T1": [2, 4], "T2": [4, 5], "T3": [5, 6], "T4": [6, 7]}),
    ):  # fmt: skip
        cities = scheme()["cities"] | {B: scale(**bands)}
        group.refuse(f"bands-{name}", why, "meaning", scheme=scheme(cities=cities))


def _one_tier() -> dict[str, Any]:
    need = scheme()["needs"]["library"]
    cities = {code: scale(T1=[1, 3]) for code in (A, B)}
    return scheme(tiers=["T1"], needs={"library": need}, limits=GONE, cities=cities)


def _limits(**fen: int) -> dict[str, Any]:
    return {"rent": scheme()["limits"]["rent"] | {"fen": fen}}


def _tiers(group: Group) -> None:
    for code, band, tier in (
        (A, 3, "T1"), (A, 4, "T2"), (A, 5, "T3"), (B, 2, "T1"), (B, 3, "T1"), (B, 4, "T2"),
        (C, 5, "T1"), (C, 6, "T2"), (C, 9, "T3"),
    ):  # fmt: skip
        group.accept(f"tier-{code}-{band}", "closed below, open above", {"tier": tier},
                     ask="tier", city=code, band=band)  # fmt: skip
    for code, band, why in ((A, 2, "below"), (B, 1, "below"), (A, 6, "above"), (C, 10, "above")):
        group.refuse(f"tier-{code}-{band}", f"{why} every interval", "none",
                     ask="tier", city=code, band=band)  # fmt: skip
    group.refuse("tier-nowhere", "a city that is not in the table", "city",
                 ask="tier", city="320100", band=3)  # fmt: skip


def _bands(group: Group) -> None:
    for code, tier, band in ((A, "T1", 3), (B, "T1", 2), (B, "T2", 4), (C, "T2", 6), (C, "T3", 8)):
        group.accept(f"band-{code}-{tier}", "the lower end", {"band": band},
                     ask="band", city=code, tier=tier)  # fmt: skip
    group.refuse("band-nowhere", "a city that is not in the table", "city",
                 ask="band", city="320100", tier="T1")  # fmt: skip
    group.refuse("band-of-none", "a tier that is none", "tier", ask="band", city=A, tier="T9")


def _needs(group: Group) -> None:
    for name, scenarios, tier in (
        ("library", ["library"], "T1"),
        ("rent", ["rent"], "T2"),
        ("both", ["rent", "library"], "T2"),
        ("points", ["points", "library"], "T1"),
    ):
        group.accept(f"needed-{name}", "the highest of the needs, and no more", {"tier": tier},
                     ask="needed", scenarios=scenarios)  # fmt: skip
    group.refuse("needed-unknown", "a scenario that is not in the table", "scenario",
                 ask="needed", scenarios=["library", "hospital"])  # fmt: skip
    for tier, fen in (("T1", 0), ("T2", 50_000), ("T3", 100_000)):
        group.accept(f"limit-{tier}", "in fen", {"limit": fen},
                     ask="limit", scenario="rent", tier=tier)  # fmt: skip
    group.accept("limit-none", "no money in it", {"limit": None},
                 ask="limit", scenario="library", tier="T3")  # fmt: skip


def _carries(group: Group) -> None:
    for start, cities, band in (
        (3, [A, B, A], 3),
        (4, [A, C, A], 4),
        (5, [A, B, C, A], 5),
        (3, [B, A, B], 2),
        (5, [C, B, C], 3),
        (7, [C, A, B, C], 6),
        (9, [C, A, C], 8),
    ):
        name = f"carry-{'-'.join(cities)}-{start}"
        group.accept(name, "never higher than it began", {"band": band},
                     ask="carry", band=start, cities=cities)  # fmt: skip
    group.refuse("carry-nothing", "what has no tier is not carried", "none",
                 ask="carry", band=1, cities=[B, A])  # fmt: skip
