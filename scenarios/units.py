"""Units: what a number or a text means, so that fen are never compared with points."""

from __future__ import annotations

import enum

import msgspec


class Unit(enum.StrEnum):
    """The meaning of a value. Two values compare only where they have the same unit."""

    FEN = "fen"  # money, 1/100 yuan
    FEN_PER_DAY = "fen_per_day"
    POINTS = "points"  # community points, never the score
    COUNT = "count"
    DAYS = "days"
    BAND = "band"  # 1..5, 0 where there is no score
    FLAG = "flag"
    TEXT = "text"
    CITY = "city"  # GB/T 2260, six digits
    COMMUNITY = "community"
    CARD = "card"  # a library's own opaque reference
    ITEM = "item"
    SCENARIO = "scenario"
    CLOCK = "clock"  # a time of day in Asia/Shanghai, "HH:MM"
    TIME = "time"  # an instant

    @property
    def is_number(self) -> bool:
        """Whether values are integers, which can be ordered."""
        return self in _NUMBERS

    @property
    def is_amount(self) -> bool:
        """Whether values can be added and subtracted; a band is a rank, not an amount."""
        return self in _NUMBERS and self is not Unit.BAND

    @property
    def is_text(self) -> bool:
        """Whether values are character strings that are equal or not, and never ordered."""
        return self in _TEXTS


_NUMBERS = frozenset(
    {Unit.FEN, Unit.FEN_PER_DAY, Unit.POINTS, Unit.COUNT, Unit.DAYS, Unit.BAND},
)
_TEXTS = frozenset(
    {Unit.TEXT, Unit.CITY, Unit.COMMUNITY, Unit.CARD, Unit.ITEM, Unit.SCENARIO},
)

#: Bands in order, 0 meaning that there is no score; a per-band parameter has one value for each.
BANDS = range(6)


class Shape(msgspec.Struct, frozen=True):
    """The type of an operand: its unit, whether it is a list, whether it may be absent."""

    unit: Unit
    many: bool = False
    absent: bool = False


#: What a clause can name as `standing.x`: values of the citizen or of the city's own rows.
STANDING: dict[str, Shape] = {
    "band": Shape(Unit.BAND),
    "commitment": Shape(Unit.FLAG),
    "waived_fen": Shape(Unit.FEN),
    "visit_limit_fen": Shape(Unit.FEN, absent=True),
    "medical_used_fen": Shape(Unit.FEN),
    "loans_open": Shape(Unit.COUNT),
    "loans_overdue": Shape(Unit.COUNT),
    "points_balance": Shape(Unit.POINTS),
    "residency": Shape(Unit.COMMUNITY, many=True),
    "cards": Shape(Unit.CARD, many=True),
    "stock": Shape(Unit.COUNT, absent=True),
}

#: What a clause can name as `party.x`; it is read from `Values` as `party_x`.
PARTY: dict[str, Shape] = {
    "city": Shape(Unit.CITY, absent=True),
    "community": Shape(Unit.COMMUNITY, absent=True),
}
