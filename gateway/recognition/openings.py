"""For which scenarios a citizen can be recognised in another city, by the rules of this one.

Pure. Three things must agree: what the two cities agreed on, the scenario `recognition` itself, and
the scheme, whose tier for a scenario the citizen must reach and whose limits the citizen's own cap
must have room for (gateway/recognition/limits.py). How far beyond that the citizen stands is said
to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gateway.body import Body, consent_of, values_at
from gateway.recognition.limits import Room, Vouched, cap_fen, vouched
from gateway.recognition.partners import Partner
from scenarios.compiler import Compiled
from scenarios.contract import Outcome, Verdict
from scenarios.units import BANDS


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks about whom, when (microseconds, UTC), by which rules.

    `rent` is the scenario whose cap bounds deposits; `reserved_fen` what is kept for other cities,
    by city. `foreseen`: as if the consent were given, for the citizen who is about to.
    """

    own: str
    partner: Partner
    rule: Compiled
    rent: Compiled
    body: Body
    reserved_fen: Mapping[str, int]
    at_us: int
    foreseen: bool = False


def facts_of(rule: Compiled, city: str, scenario: str) -> msgspec.Struct:
    """The facts with which a city asks about one scenario."""
    asked = {"city": city, "scenario": scenario}
    facts: msgspec.Struct = msgspec.convert(asked, rule.facts_type)
    return facts


def opening(asking: Asking, wanted: tuple[str, ...]) -> Vouched | None:
    """What can be said for the wanted scenarios, or None where it is nothing."""
    partner, body = asking.partner, asking.body
    if body.visit is not None:
        return None  # a city vouches for its own citizens only
    listed = [each for each in wanted if each in partner.scenarios]
    agreed = [each for each in listed if _is_eligible(asking, each, body)]
    room = Room(
        cap_fen=cap_fen(asking.rent, body.band, asking.at_us),
        waived_fen=body.waived_fen,
        reserved_fen=asking.reserved_fen,
    )
    try:
        found = vouched(
            partner.scheme,
            home=asking.own,
            visited=partner.code,
            band=body.band,
            wanted=agreed,
            room=room,
        )
        if found is not None:
            partner.scheme.band_of(partner.code, found.tier)  # it has a place for the visitor
    except KeyError:  # one of the two cities is not in the table
        return None
    return None if found is None else _bounded(asking, found)


def _bounded(asking: Asking, found: Vouched) -> Vouched:
    """With the lowest band at which every scenario would still be open by the own rule too."""
    for band in BANDS:
        body = msgspec.structs.replace(asking.body, band=band)
        if band >= found.band_floor and all(
            _is_eligible(asking, each, body) for each in found.scenarios
        ):
            return msgspec.structs.replace(found, band_floor=band)
    return found


def verdict(asking: Asking, scenario: str, body: Body) -> Verdict:
    """What this city's own rule says of one scenario, for that body."""
    view = asking.partner.registration.view
    values = values_at(body, view, asking.at_us, slip=consent_of(body, view))
    if asking.foreseen:
        values = msgspec.structs.replace(values, consent=True)
    facts = facts_of(asking.rule, asking.partner.code, scenario)
    return asking.rule.decide(values, facts, asking.at_us)


def _is_eligible(asking: Asking, scenario: str, body: Body) -> bool:
    return verdict(asking, scenario, body).outcome is Outcome.ELIGIBLE
