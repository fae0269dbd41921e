"""A scoring fact: one catalogued record about somebody, without saying about whom.

Facts carry no name, number or key of a person: the caller knows whose they are, `scoring` never
does. Only adults of full civil capacity have a file (浙江省公共信用信息管理条例 2), which the
caller keeps as well. Dates are calendar days in Hangzhou; intervals are closed-open.
"""

from __future__ import annotations

import enum
from datetime import date

import msgspec

from scoring.words import Words

#: How long negative information is kept and used, in years from its determination
#: (浙江省公共信用信息管理条例 16). Its two longer cases, prison terms and the list of serious
#: dishonesty, are not modelled: the shorter term never wrongs the citizen.
NEGATIVE_YEARS = 5


class Dimension(enum.StrEnum):
    """The five dimensions of the score, as published at its launch (2018-11-16)."""

    IDENTITY = "identity"
    LAW = "law"
    COMMERCE = "commerce"
    LIFE = "life"
    CONTRIBUTION = "contribution"

    @property
    def words(self) -> Words:
        """The dimension's name for people."""
        return _DIMENSIONS[self]


_DIMENSIONS = {
    Dimension.IDENTITY: Words("身份特质", "Identity"),
    Dimension.LAW: Words("遵纪守法", "Keeping the law"),
    Dimension.COMMERCE: Words("商业用信", "Credit in business"),
    Dimension.LIFE: Words("生活用信", "Credit in daily life"),
    Dimension.CONTRIBUTION: Words("亲社会行为", "Contribution to the city"),
}


class Sphere(enum.StrEnum):
    """Public or market information: two kinds under different laws, labelled apart."""

    PUBLIC = "public"
    MARKET = "market"


class Merit(enum.StrEnum):
    """Merits that a person may keep out of the score (深圳经济特区社会信用条例 39, upper bound)."""

    HONOUR = "honour"
    VOLUNTEERING = "volunteering"
    DONATION = "donation"


#: What facts are sorted by; see `Fact.order`.
Order = tuple[str, str, date, str, str, date, date, str, str]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One record that the catalogue admits.

    `value` is a whole number in the catalogue's unit, or one of its level codes. The fact counts
    on days with `effective <= day < expires`; no `expires` means until replaced. `determined` is
    set exactly where the fact is negative. `source` is the reference of the record at the
    department, unique for its code.
    """

    department: str
    code: str
    dimension: Dimension
    value: int | str
    effective: date
    expires: date | None = None
    determined: date | None = None
    source: str
    sphere: Sphere = Sphere.PUBLIC
    merit: Merit | None = None

    @property
    def ends(self) -> date | None:
        """First day on which the fact no longer counts, however late `expires` says.

        The five years are kept here as well as at the import, so that they hold for a row that
        never went through it.
        """
        if self.determined is None:
            return self.expires
        lawful = negative_end(self.determined)
        return lawful if self.expires is None else min(lawful, self.expires)

    @property
    def key(self) -> tuple[str, str, str]:
        """Which record this is: facts with one key are versions of the same record."""
        return self.department, self.code, self.source

    @property
    def order(self) -> Order:
        """A key that sorts facts the same way in whatever order they came."""
        return (
            self.department,
            self.code,
            self.effective,
            self.source,
            str(self.value),
            self.determined or date.min,
            self.expires or date.max,
            self.sphere,
            self.merit or "",
        )


def negative_end(determined: date) -> date:
    """First day on which a fact determined on `determined` may no longer be used.

    It is the fifth anniversary itself, and 28 February for a leap day: of the readings of
    "five years" the one that is shortest for the citizen. Past the calendar's last year it is
    that calendar's last day.
    """
    year = determined.year + NEGATIVE_YEARS
    if year > date.max.year:
        return date.max
    if (determined.month, determined.day) == (2, 29):
        return date(year, 2, 28)
    return determined.replace(year=year)
