"""For which scenarios a citizen can be recognised in another city, by the rules of this one.

Pure. Three things must agree: what the two cities agreed on, the scenario `recognition` itself, and
the scheme, whose tier for a scenario the citizen must reach. How far beyond that the citizen stands
is said to nobody.
"""

from __future__ import annotations

import msgspec

from gateway.body import Body, Viewpoint, consent_of, values_at
from gateway.recognition.partners import Partner
from scenarios.compiler import Compiled
from scenarios.contract import Outcome
from scenarios.registry import Registry
from scenarios.units import BANDS

#: The parameter of a scenario of money that says what may be used at the same time, by band.
_CAP = "cap_fen"


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks about whom, when (microseconds, UTC), by which rules.

    `engaged_fen` is what of the own deposit cap is used already, apart from what is kept for this
    city. `foreseen`: as if the consent were given, for the citizen who is about to.
    """

    own: str
    partner: Partner
    rule: Compiled
    registry: Registry
    body: Body
    engaged_fen: int
    at_us: int
    foreseen: bool = False


class Opening(msgspec.Struct, frozen=True):
    """What can be said: the scenarios, the lowest tier that they need, the lowest band at which all
    of it still holds, and what of the own deposit cap is kept meanwhile (fen)."""

    scenarios: tuple[str, ...]
    tier: str
    band_floor: int
    reserved_fen: int


def facts_of(rule: Compiled, city: str, scenario: str) -> msgspec.Struct:
    """The facts with which a city asks about one scenario."""
    asked = {"city": city, "scenario": scenario}
    facts: msgspec.Struct = msgspec.convert(asked, rule.facts_type)
    return facts


def opening(asking: Asking, wanted: tuple[str, ...]) -> Opening | None:
    """What can be said for the wanted scenarios, or None where it is nothing."""
    partner, scheme = asking.partner, asking.partner.scheme
    reached = _by_scheme(asking, tuple(each for each in wanted if each in partner.scenarios))
    scenarios = tuple(each for each in reached if _is_eligible(asking, each, asking.body))
    scenarios = _affordable(asking, scenarios)
    if not scenarios:
        return None
    tier = scheme.needed(scenarios)
    return Opening(scenarios, tier, _floor(asking, scenarios, tier), _reserved(asking, scenarios))


def _by_scheme(asking: Asking, wanted: tuple[str, ...]) -> tuple[str, ...]:
    scheme = asking.partner.scheme
    try:
        tier = scheme.tier_of(asking.own, asking.body.band)
        # A visitor must have a place there too.
        return tuple(
            each
            for each in scheme.open_to(tier, wanted)
            if scheme.band_of(asking.partner.code, scheme.needed((each,))) > 0
        )
    except KeyError:  # one of the two cities is not in the table
        return ()


def _is_eligible(asking: Asking, scenario: str, body: Body) -> bool:
    view: Viewpoint = asking.partner.registration.view
    values = values_at(body, view, asking.at_us, slip=consent_of(body, view))
    if asking.foreseen:
        values = msgspec.structs.replace(values, consent=True)
    facts = facts_of(asking.rule, asking.partner.code, scenario)
    return asking.rule.decide(values, facts, asking.at_us).outcome is Outcome.ELIGIBLE


def _affordable(asking: Asking, scenarios: tuple[str, ...]) -> tuple[str, ...]:
    """Without what the own cap has no room for: n cities never mean n caps."""
    return tuple(
        each
        for each in scenarios
        if _limit(asking, each, scenarios) + asking.engaged_fen <= _cap(asking, each)
    )


def _reserved(asking: Asking, scenarios: tuple[str, ...]) -> int:
    return max((_limit(asking, each, scenarios) for each in scenarios), default=0)


def _limit(asking: Asking, scenario: str, scenarios: tuple[str, ...]) -> int:
    scheme = asking.partner.scheme
    return scheme.limit(scenario, scheme.needed(scenarios)) or 0


def _cap(asking: Asking, scenario: str) -> int:
    """The own cap of a scenario; without one, only what costs nothing fits under what is used."""
    compiled = asking.registry.get(scenario)
    named = compiled.manifest.parameters if compiled is not None else ()
    for parameter in named:
        dated = parameter.at(asking.at_us) if parameter.name == _CAP else None
        if dated is not None and isinstance(dated.value, tuple):
            return int(dated.value[asking.body.band])
    return asking.engaged_fen


def _floor(asking: Asking, scenarios: tuple[str, ...], tier: str) -> int:
    """The lowest band at which every one of the scenarios would still be open."""
    least = asking.partner.scheme.band_of(asking.own, tier)
    for band in BANDS:
        body = msgspec.structs.replace(asking.body, band=band)
        if band >= least and all(_is_eligible(asking, each, body) for each in scenarios):
            return band
    return asking.body.band
