"""The body of a standing: all that decisions read of a citizen, in one value.

Pure. The same bytes are stored in PostgreSQL, copied to the cache and digested; what a scenario
sees of them is `values_at`, the few plain values of one recipient at one instant, with the
interval in which they hold. Nothing about time is baked in: dates travel as dates, so time alone
never makes a new version.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

import msgspec

from scenarios.contract import FOREVER_US, Values

#: Changes when the layout below does: entries of another layout are not read.
SCHEMA = 3

# Bounds of what PostgreSQL can hold. The cache may offer anything; bytes that only look like a
# body are refused by the decoder instead of failing the commit that they would be bound for.
_Int2 = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]
_Int4 = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Int8 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class ConsentSlip(msgspec.Struct, frozen=True, gc=False):
    """A live consent: who may ask what from when to when; paused where that is not 0."""

    id: bytes  # 16 bytes
    version: int
    sector: int
    scenario: str
    from_us: int
    to_us: int
    paused_until_us: int = 0
    frequency: int = 0


class CommitmentSlip(msgspec.Struct, frozen=True, gc=False):
    """A signed commitment; sector 0 where it is towards the city and every recipient."""

    scenario: str
    sector: int
    since_us: int


# Consents and commitments lie packed side by side, each record beginning with the scenario's tag
# and the sector. A decision finds the one that it needs by these twelve bytes, at the price of a
# search in C, and decodes nothing else: two hundred consents cost what three do.
_PLACE = struct.Struct(">8sI")
_CONSENT = struct.Struct(">8sI16siqqqi")  # id, version, from, to, paused until, frequency
_COMMITMENT = struct.Struct(">8sIq")  # since


@lru_cache(maxsize=4096)
def scenario_tag(scenario: str) -> bytes:
    """The eight bytes by which a scenario is found in a body (of its id's SHA-256)."""
    return hashlib.sha256(scenario.encode()).digest()[:8]


def pack_consents(slips: Iterable[ConsentSlip]) -> bytes:
    """Consents as they lie in a body.

    Raises:
        struct.error: a number that no row of the database could hold.
    """
    return b"".join(
        _CONSENT.pack(
            *(scenario_tag(slip.scenario), slip.sector, slip.id, slip.version),
            *(slip.from_us, slip.to_us, slip.paused_until_us, slip.frequency),
        )
        for slip in slips
    )


def pack_commitments(slips: Iterable[CommitmentSlip]) -> bytes:
    """Commitments as they lie in a body; raises as `pack_consents` does."""
    return b"".join(
        _COMMITMENT.pack(scenario_tag(slip.scenario), slip.sector, slip.since_us) for slip in slips
    )


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


class VisitSlip(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Another city's citizen here: by whose word, for which scenarios, and how much of deposits
    may be waived here at the same time. Nothing is listed once the visit is over."""

    issuer: _Int2  # its number
    scenarios: tuple[str, ...] = ()
    limit_fen: _Int8 = 0


class Body(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What decisions read. An erased citizen's body has no key and nothing else."""

    key: bytes = b""  # the person's key, wrapped; seals the facts of decisions
    band: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0  # 0 where there is no score
    waived_fen: _Int8 = 0
    medical_used_fen: _Int8 = 0
    consents: bytes = b""  # see pack_consents
    commitments: bytes = b""  # see pack_commitments
    suspensions: tuple[tuple[str, _Int8], ...] = ()  # scenario, since
    objections: tuple[str, ...] = ()  # scenario, "" = every one
    probes: tuple[tuple[_Int4, _Int8], ...] = ()  # sector, until
    loans: tuple[LoanSlip, ...] = ()
    points: tuple[PointsSlip, ...] = ()
    residency: tuple[StaySlip, ...] = ()
    cards: tuple[tuple[_Int4, str], ...] = ()  # sector of the library, card reference
    reserved_fen: _Int8 = 0  # of the own cap on waived deposits, kept for visits to other cities
    visit: VisitSlip | None = None  # None for a citizen of the city

    @property
    def issuer(self) -> int | None:
        """The number of the city whose word this stands on; None for a citizen of the city."""
        return self.visit.issuer if self.visit is not None else None

    @property
    def living(self) -> bool:
        """Whether this is a citizen's, not the remains of an erased one."""
        return bool(self.key)


#: The body of a subject that opens to nobody.
NOBODY = Body()

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Body)
#: How the bytes of a body begin: with the number of its members.
_WHOLE = _encoder.encode(NOBODY)[:1]


def encode_body(body: Body) -> bytes:
    """The bytes that are stored, cached and digested."""
    return _encoder.encode(body)


def decode_body(raw: bytes) -> Body:
    """The body of stored bytes.

    Raises:
        msgspec.DecodeError: these are not the bytes of a body.
    """
    try:
        body = _decoder.decode(raw)
    except (UnicodeDecodeError, RecursionError) as fault:
        # msgspec's own errors do not cover these two.
        raise msgspec.DecodeError("not a body") from fault
    # A body of fewer members is of an earlier layout: it would decode, and its digest never match.
    if (
        raw[:1] != _WHOLE
        or len(body.consents) % _CONSENT.size
        or len(body.commitments) % _COMMITMENT.size
    ):
        raise msgspec.DecodeError("not a body")
    return body


def is_body(raw: bytes) -> bool:
    """Whether these are the bytes of a body in the present layout."""
    try:
        decode_body(raw)
    except msgspec.DecodeError:
        return False
    return True


def digest(key: bytes, citizen: UUID, version: int, raw: bytes) -> int:
    """The keyed 64-bit digest that the commit joins on, as a signed integer.

    It covers citizen, layout, version and the very bytes used, so an entry that is torn,
    poisoned, of another citizen, never committed or of a reused number does not match.
    """
    head = citizen.bytes + SCHEMA.to_bytes(2, "big") + version.to_bytes(8, "big", signed=True)
    seal = _keyed(key).copy()  # absorbing the key is half of the work, and the same each time
    seal.update(head + raw)
    return int.from_bytes(seal.digest(), "big", signed=True)


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=8, key=key)


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
    #: Where this recipient's records of the scenario begin, and those made to the whole city.
    own: bytes = b""
    citywide: bytes = b""

    def __post_init__(self) -> None:
        tag = scenario_tag(self.scenario)
        msgspec.structs.force_setattr(self, "own", _PLACE.pack(tag, self.sector))
        msgspec.structs.force_setattr(self, "citywide", _PLACE.pack(tag, 0))


def consent_of(body: Body, view: Viewpoint) -> ConsentSlip | None:
    """The consent given to this recipient for this scenario, live or not."""
    at = _found(body.consents, view.own, _CONSENT.size)
    if at < 0:
        return None
    _, sector, identifier, version, since, to, paused, frequency = _CONSENT.unpack_from(
        body.consents, at
    )
    return ConsentSlip(
        *(identifier, version, sector, view.scenario, since, to, paused, frequency),
    )


def consents_to(body: Body, sector: int, scenarios: Iterable[str]) -> dict[str, ConsentSlip]:
    """The consents given to one recipient for some scenarios, live or not."""
    names = {scenario_tag(name): name for name in scenarios}
    found: dict[str, ConsentSlip] = {}
    for tag, whose, identifier, version, *rest in _CONSENT.iter_unpack(body.consents):
        if whose == sector and (name := names.get(tag)) is not None:
            found.setdefault(name, ConsentSlip(identifier, version, sector, name, *rest))
    return found


def commitments_to(body: Body, sector: int, scenarios: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Scenario and start of the commitments to one recipient or to the whole city."""
    names = {scenario_tag(name): name for name in scenarios}
    for tag, whose, since_us in _COMMITMENT.iter_unpack(body.commitments):
        if whose in (0, sector) and (name := names.get(tag)) is not None:
            yield name, since_us


def _found(packed: bytes, place: bytes, width: int, start: int = 0) -> int:
    """Where the first record of a place begins, from `start` on; below 0 where there is none."""
    at = packed.find(place, start)
    while at >= 0 and at % width:  # the same bytes inside another record
        at = packed.find(place, at + 1)
    return at


def values_at(
    body: Body,
    view: Viewpoint,
    at_us: int,
    *,
    slip: ConsentSlip | None,
    used_up: bool = False,
    stock: int | None = None,
    fresh: bool = True,
) -> Values:
    """What one scenario sees of a body at one instant, and how long that stays so.

    `slip` is `consent_of` the same body and view. `used_up`, `stock` and `fresh` are not in the
    body: the first comes from the commit's counter, the second is advisory, and the third (whether
    the word of a visitor's home city is fresh) is assumed here and held against the database by the
    commit.
    """
    span = Interval(at_us)
    declared = {name: read(body, view, span) for name, read in _readers(view.reads)}
    return Values(
        known=body.living,
        consent=slip is not None and consent_live(slip, span),
        used_up=used_up,
        # Nearly nobody has one of these; asking first spares three generators.
        probed=bool(body.probes) and _probed(body, view, span),
        suspended=bool(body.suspensions) and _suspended(body, view, span),
        objected=bool(body.objections)
        and (view.scenario in body.objections or "" in body.objections),
        recognised=body.visit is None or (fresh and view.scenario in body.visit.scenarios),
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


def consent_live(slip: ConsentSlip, span: Interval) -> bool:
    """Whether a consent is in force at the interval's instant."""
    if not span.passed(slip.from_us) or span.passed(slip.to_us):
        return False
    return not slip.paused_until_us or span.passed(slip.paused_until_us)


def _commitment(body: Body, view: Viewpoint, span: Interval) -> bool:
    return _committed(body.commitments, view.citywide, span) or _committed(
        body.commitments, view.own, span
    )


def _committed(packed: bytes, place: bytes, span: Interval) -> bool:
    at = _found(packed, place, _COMMITMENT.size)
    while at >= 0:
        if span.passed(_COMMITMENT.unpack_from(packed, at)[2]):
            return True
        at = _found(packed, place, _COMMITMENT.size, at + _COMMITMENT.size)
    return False


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
    # What is kept for other cities is as good as waived: n cities never mean n caps.
    "waived_fen": lambda body, _view, _span: body.waived_fen + body.reserved_fen,
    "visit_limit_fen": lambda body, _view, _span: body.visit.limit_fen if body.visit else None,
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


@lru_cache(maxsize=4096)
def _readers(
    names: tuple[str, ...],
) -> tuple[tuple[str, Callable[[Body, Viewpoint, Interval], Any]], ...]:
    """How the declared names are read; stock and the like are not in a body."""
    return tuple((name, _READERS[name]) for name in names if name in _READERS)
