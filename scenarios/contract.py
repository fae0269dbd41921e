"""What a scenario may know and what it answers: the contract of every plug-in.

A scenario never receives a citizen's row. It receives `Values`: the handful of plain values that
its manifest declared to read, as they stand at the instant of the decision, and the interval in
which they stay so. Data minimisation is therefore a property of the import graph and of the
loader, which refuses a clause that reads anything undeclared.
"""

from __future__ import annotations

import enum

import msgspec

#: The open ends of an interval, in microseconds since the Unix epoch (UTC).
ALWAYS_US = 0
FOREVER_US = 253_402_300_799_000_000  # 9999-12-31T23:59:59Z, also inside PostgreSQL's range


class Outcome(enum.IntEnum):
    """The three answers a party can receive. None of them is a refusal.

    `STANDARD_PATH` means that the ordinary way applies (pay the deposit, pay as you go);
    `CANNOT_ASSESS` that the party's facts, or the gateway's own data, did not suffice. The last
    never depends on the citizen.
    """

    STANDARD_PATH = 0
    ELIGIBLE = 1
    CANNOT_ASSESS = 2

    @property
    def wire(self) -> str:
        """The outcome's name in answers: `eligible`, `standard_path` or `cannot_assess`."""
        return self.name.lower()


class Source(enum.StrEnum):
    """Where a readable value comes from, which says what keeps it true at the commit."""

    BODY = "body"  # in the standing; the commit joins on its version and digest
    ROW = "row"  # a row that the commit statement joins (party, policy)
    INTERVAL = "interval"  # moves with time; the commit requires the clock to be inside
    COUNTER = "counter"  # counted by the second lane of the commit
    ADVISORY = "advisory"  # best effort, held by locks at the order, never by eligibility


class Values(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """All that a scenario can ever read of a citizen and of the asking party, at one instant.

    Fields that a manifest does not declare keep their defaults. Money is in fen, points are
    whole points, lists are tuples. `since_us <= t < until_us` is the interval in which every
    value here stays as it is.
    """

    since_us: int = ALWAYS_US
    until_us: int = FOREVER_US
    # Always present: what every scenario asks.
    known: bool = False  # the subject names a living standing
    consent: bool = False  # this recipient, this scenario, active and within its dates
    used_up: bool = False  # the consent's daily frequency is spent
    probed: bool = False  # this party asked too many distinct amounts today
    suspended: bool = False  # the fast lane of this scenario is suspended
    objected: bool = False  # an objection is open that this scenario must respect
    recognised: bool = True  # of this city; or a visitor, and the home city vouches for this now
    # Only where declared.
    band: int = 0  # 1..5, 0 where there is no score
    commitment: bool = False  # signed, unbroken, for this scenario (and party where it names one)
    waived_fen: int = 0  # deposits waived and not yet settled, here or kept for other cities
    visit_limit_fen: int | None = None  # a visitor's bound on them, None for a citizen of the city
    medical_used_fen: int = 0  # the used part of the hospital limit
    loans_open: int = 0  # library items out
    loans_overdue: int = 0  # of those, past due
    points_balance: int = 0  # in the asking party's community
    residency: tuple[str, ...] = ()  # community codes the citizen lives in
    cards: tuple[str, ...] = ()  # library card references that ride on this citizen
    stock: int | None = None  # advisory: pieces left of the asked item, None when not known
    party_city: str | None = None  # GB/T 2260 code of the asking party, where it is a city
    party_community: str | None = None  # community the asking party serves, where it is one


#: What a manifest may declare to read, and what keeps each value true at the commit.
READABLE: dict[str, Source] = {
    "band": Source.BODY,
    "commitment": Source.INTERVAL,
    "waived_fen": Source.BODY,
    "visit_limit_fen": Source.BODY,
    "medical_used_fen": Source.BODY,
    "loans_open": Source.BODY,
    "loans_overdue": Source.INTERVAL,
    "points_balance": Source.INTERVAL,
    "residency": Source.INTERVAL,
    "cards": Source.BODY,
    "stock": Source.ADVISORY,
    "party_city": Source.ROW,
    "party_community": Source.ROW,
}


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What `decide` returns: the outcome, the clauses met, and the interval in which both hold.

    `met` has bit n set where clause n of the compiled scenario is met; the clauses are listed
    in the same order in `Compiled.clauses`. The interval is closed-open: `since_us <= t <
    until_us`.
    """

    outcome: Outcome
    met: int
    since_us: int
    until_us: int
