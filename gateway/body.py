"""The body of a standing: all that decisions read of a citizen, in one value.

Pure. The same bytes are stored in PostgreSQL, copied to the cache and digested; what a scenario
sees of them is `values_at`, the few plain values of one recipient at one instant, with the
interval in which they hold. Nothing about time is baked in: dates travel as dates, so time alone
never makes a new version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

import msgspec

from scenarios.contract import FOREVER_US, Values

#: Changes when the layout below does: entries of another layout are not read.
SCHEMA = 1

# Bounds of what PostgreSQL can hold. The cache may offer anything; bytes that only look like a
# body are refused by the decoder instead of failing the commit that they would be bound for.
_Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
_Int4 = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Int8 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ConsentSlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A live consent: who may ask what from when to when; paused where that is not 0."""

    id: _Id
    version: _Int4
    sector: _Int4
    scenario: str
    from_us: _Int8
    to_us: _Int8
    paused_until_us: _Int8 = 0
    frequency: _Int4 = 0


class CommitmentSlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A signed commitment; sector 0 where it is towards the city and every recipient."""

    scenario: str
    sector: _Int4
    since_us: _Int8


class LoanSlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Library items out, and when they are due."""

    items: _Int4
    due_us: _Int8


class PointsSlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Points of one community that expire together."""

    community: str
    points: _Int8
    expires_us: _Int8


class StaySlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Living in a community from one instant to another."""

    community: str
    from_us: _Int8
    to_us: _Int8


class Body(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What decisions read. An erased citizen's body has no key and nothing else."""

    key: bytes = b""  # the person's key, wrapped; seals the facts of decisions
    band: _Int4 = 0
    waived_fen: _Int8 = 0
    medical_used_fen: _Int8 = 0
    consents: tuple[ConsentSlip, ...] = ()
    commitments: tuple[CommitmentSlip, ...] = ()
    suspensions: tuple[tuple[str, _Int8], ...] = ()  # scenario, since
    objections: tuple[str, ...] = ()  # scenario, "" = every one
    probes: tuple[tuple[_Int4, _Int8], ...] = ()  # sector, until
    loans: tuple[LoanSlip, ...] = ()
    points: tuple[PointsSlip, ...] = ()
    residency: tuple[StaySlip, ...] = ()
    cards: tuple[tuple[_Int4, str], ...] = ()  # sector of the library, card reference

    @property
    def living(self) -> bool:
        """Whether this is a citizen's, not the remains of an erased one."""
        return bool(self.key)


#: The body of a subject that opens to nobody.
NOBODY = Body()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Body)


def encode_body(body: Body) -> bytes:
    """The bytes that are stored, cached and digested."""
    return _encoder.encode(body)


def decode_body(raw: bytes) -> Body:
    """The body of stored bytes.

    Raises:
        msgspec.DecodeError: these are not the bytes of a body.
    """
    try:
        return _decoder.decode(raw)
    except (UnicodeDecodeError, RecursionError) as fault:
        # msgspec's own errors do not cover these two.
        raise msgspec.DecodeError("not a body") from fault


def digest(key: bytes, citizen: UUID, version: int, raw: bytes) -> int:
    """The keyed 64-bit digest that the commit joins on, as a signed integer.

    It covers citizen, layout, version and the very bytes used, so an entry that is torn,
    poisoned, of another citizen, never committed or of a reused number does not match.
    """
    head = citizen.bytes + SCHEMA.to_bytes(2, "big") + version.to_bytes(8, "big", signed=True)
    seal = hashlib.blake2b(head + raw, digest_size=8, key=key)
    return int.from_bytes(seal.digest(), "big", signed=True)


class Interval:
    """The closed-open interval around an instant, narrowed by every boundary that is told to it."""

    __slots__ = ("at", "since", "until")

    def __init__(self, at_us: int) -> None:
        self.at, self.since, self.until = at_us, 0, FOREVER_US

    def passed(self, boundary_us: int) -> bool:
        """Whether the boundary lies at or before the instant; narrows the interval either way."""
        if boundary_us <= self.at:
            if boundary_us > self.since:
                self.since = boundary_us
            return True
        if boundary_us < self.until:
            self.until = boundary_us
        return False


class Viewpoint(msgspec.Struct, frozen=True):
    """From where a body is looked at: one recipient's, for one scenario.

    Args:
        sector: the recipient's sector, under which subjects open and consents were given.
        scenario: the scenario's id.
        reads: the names its manifest declared; nothing else is filled in.
        city: GB/T 2260 code of the asking party where it is a city.
        community: the community the asking party serves where it serves one.
    """

    sector: int
    scenario: str
    reads: tuple[str, ...]
    city: str | None = None
    community: str | None = None


def consent_of(body: Body, view: Viewpoint) -> ConsentSlip | None:
    """The consent given to this recipient for this scenario, live or not."""
    for slip in body.consents:
        if slip.sector == view.sector and slip.scenario == view.scenario:
            return slip
    return None


def values_at(
    body: Body, view: Viewpoint, at_us: int, *, used_up: bool = False, stock: int | None = None
) -> Values:
    """What one scenario sees of a body at one instant, and how long that stays so.

    `used_up` and `stock` are not in the body: the first comes from the commit's counter, the
    second is advisory.
    """
    span = Interval(at_us)
    slip = consent_of(body, view)
    declared = {name: _READERS[name](body, view, span) for name in view.reads if name in _READERS}
    return Values(
        known=body.living,
        consent=slip is not None and _consent_live(slip, span),
        used_up=used_up,
        # Nearly nobody has one of these; asking first spares three generators.
        probed=bool(body.probes) and _probed(body, view, span),
        suspended=bool(body.suspensions) and _suspended(body, view, span),
        objected=bool(body.objections)
        and (view.scenario in body.objections or "" in body.objections),
        stock=stock,
        since_us=span.since,
        until_us=span.until,
        **declared,
    )


# Whatever a reader consults is told to the interval, so within it every consulted boundary answers
# the same, the reader takes the same path, and short cuts are sound.


def _probed(body: Body, view: Viewpoint, span: Interval) -> bool:
    return any(not span.passed(end) for sector, end in body.probes if sector == view.sector)


def _suspended(body: Body, view: Viewpoint, span: Interval) -> bool:
    return any(span.passed(start) for name, start in body.suspensions if name == view.scenario)


def _consent_live(slip: ConsentSlip, span: Interval) -> bool:
    if not span.passed(slip.from_us) or span.passed(slip.to_us):
        return False
    return not slip.paused_until_us or span.passed(slip.paused_until_us)


def _commitment(body: Body, view: Viewpoint, span: Interval) -> bool:
    return any(
        span.passed(slip.since_us)
        for slip in body.commitments
        if slip.scenario == view.scenario and slip.sector in (0, view.sector)
    )


def _points_balance(body: Body, view: Viewpoint, span: Interval) -> int:
    return sum(
        slip.points
        for slip in body.points
        if slip.community == view.community and not span.passed(slip.expires_us)
    )


def _residency(body: Body, _view: Viewpoint, span: Interval) -> tuple[str, ...]:
    return tuple(
        stay.community
        for stay in body.residency
        if span.passed(stay.from_us) and not span.passed(stay.to_us)
    )


_READERS: dict[str, Callable[[Body, Viewpoint, Interval], Any]] = {
    "band": lambda body, _view, _span: body.band,
    "commitment": _commitment,
    "waived_fen": lambda body, _view, _span: body.waived_fen,
    "medical_used_fen": lambda body, _view, _span: body.medical_used_fen,
    "loans_open": lambda body, _view, _span: sum(loan.items for loan in body.loans),
    "loans_overdue": lambda body, _view, span: sum(
        loan.items for loan in body.loans if span.passed(loan.due_us)
    ),
    "points_balance": _points_balance,
    "residency": _residency,
    "cards": lambda body, view, _span: tuple(
        card for sector, card in body.cards if sector == view.sector
    ),
    "party_city": lambda _body, view, _span: view.city,
    "party_community": lambda _body, view, _span: view.community,
}
