"""What a city may say of its citizen to another, and what it keeps free at home for it. Pure.

Where a scenario waives deposits, a recognition takes the limit that follows from its tier out of
the citizen's own cap for as long as it lives. So the open limits of any number of cities and what
is waived at home never add up to more than the one cap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from scenarios.compiler import Compiled
from scenarios.schemes import Scheme

#: The parameter, by band, that bounds the deposits waived at the same time.
CAP = "cap_fen"


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A citizen's cap on waived deposits, and what is taken of it already, all in fen.

    `waived_fen` is waived here and not settled; `reserved_fen` is kept for other cities, by city:
    of several live recognitions by one city the largest.
    """

    cap_fen: int
    waived_fen: int
    reserved_fen: Mapping[str, int]

    def free_for(self, city: str) -> int:
        """What may be kept for one city, in place of what is kept for it now."""
        others = sum(fen for code, fen in self.reserved_fen.items() if code != city)
        return self.cap_fen - self.waived_fen - others


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """What a grant may say. `band_floor` is the lowest band of the tier here: below it, it ends."""

    tier: str
    scenarios: tuple[str, ...]
    reserved_fen: int
    band_floor: int


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A live recognition as it counts against the cap. The newest is issued last."""

    id: object
    city: str
    band_floor: int
    reserved_fen: int
    number: int


def vouched(
    scheme: Scheme, *, home: str, visited: str, band: int, wanted: Sequence[str], room: Room
) -> Vouched | None:
    """What of the wanted scenarios this city may vouch for, or None where it is nothing.

    Those that the citizen's tier does not suffice for are left out, and of those that waive
    deposits the last ones as long as their limits do not fit.

    Raises `KeyError` where the scheme does not know the home city.
    """
    listed = list(scheme.open_to(scheme.tier_of(home, band), wanted))
    free = room.free_for(visited)
    while listed:
        tier = scheme.needed(listed)
        reserved = scheme.deposits(listed, tier)
        if reserved == 0 or reserved <= free:
            floor = scheme.band_of(home, tier)
            return Vouched(
                tier=tier, scenarios=tuple(listed), reserved_fen=reserved, band_floor=floor
            )
        listed.remove(next(each for each in reversed(listed) if each in scheme.limits))
    return None


def unsupported(live: Sequence[Kept], *, band: int, cap_fen: int, waived_fen: int) -> list[Kept]:
    """The live recognitions that a citizen's band or cap no longer bears; the newest go first."""
    borne = [each for each in live if band >= each.band_floor]
    ended = [each for each in live if band < each.band_floor]
    for each in sorted(borne, key=lambda each: each.number, reverse=True):
        if waived_fen + sum(reserved_by_city(borne).values()) <= cap_fen:
            break
        if each.reserved_fen:
            borne.remove(each)
            ended.append(each)
    return ended


def reserved_by_city(live: Iterable[Kept]) -> dict[str, int]:
    """What live recognitions keep for each city: of several by one city the largest."""
    kept: dict[str, int] = {}
    for each in live:
        kept[each.city] = max(kept.get(each.city, 0), each.reserved_fen)
    return kept


def cap_fen(rent: Compiled | None, band: int, at_us: int) -> int:
    """The cap of a band on waived deposits at an instant (µs, UTC), by the scenario's own figures;
    0 before any is in force, and where a city has no such scenario."""
    if rent is None:
        return 0
    for parameter in rent.manifest.parameters:
        if parameter.name == CAP and parameter.by is not None:
            dated = parameter.at(at_us)
            # The static checks want six whole numbers of a figure in fen by band.
            return int(dated.value[band]) if dated and isinstance(dated.value, tuple) else 0
    return 0
