"""What a new entry may not do to the list, looked at before anybody reads it. Pure.

Readers leave out what they cannot rely on; a region that knows better says so to whoever sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.errors import GatewayError
from gateway.recognition.agreements import State, conclude
from gateway.recognition.entries import Memory
from gateway.recognition.entry import City
from gateway.recognition.signing import seen
from gateway.recognition.statements import Statements
from gateway.recognition.trust_list import MAX_BYTES, TrustList

#: An agreement that stands so must not come into force by a change of an entry.
_OPEN: Final = (State.IN_FORCE, State.COMING)


#: Bytes of a list besides its entries and statements: header, times and signature; around one part;
#: and around the statements of one agreement, with its id.
_AROUND, _BETWEEN, _NAMED = 2048, 3, 96


class RegionDeclines(GatewayError):
    """The region does not do that; the message says why."""


def fault_beside(raw: bytes, others: Iterable[bytes], *, allow_loopback_http: bool) -> str | None:
    """Why an entry, beside the others, would leave somebody out of the list; None where none."""
    _, left_out = Memory().read([raw, *others], allow_loopback_http)
    return f"{left_out[0].name}: {left_out[0].words}" if left_out else None


def fault_of_size(parts: Iterable[int], agreements: int) -> str | None:
    """Why entries and statements of so many bytes, about so many agreements, make a list that
    nobody reads; None where they do not (docs/protocol/recognition.md 3.7)."""
    # Base64url makes four characters of three bytes.
    most = MAX_BYTES // 4 * 3 - _AROUND
    size = sum(part + _BETWEEN for part in parts) + _NAMED * agreements
    if size <= most:
        return None
    return f"the list would have {size:,} bytes, and readers take {most:,}; first let others go"


def fault_of_operators(city: City) -> str | None:
    """Why an entry's operators are not two persons whom people can tell apart."""
    people = {seen(each.name) for each in city.entry.operators}
    if "" in people:
        return "operators: one has no name that can be read"
    if len(people) < 2:
        return "operators: two people are wanted, with names that can be told apart"
    return None


def revived(
    before: City | None,
    after: City,
    others: Sequence[City],
    said: Mapping[str, tuple[str, ...]],
    region: str,
    now_us: int,
) -> list[str]:
    """The agreements whose end or suspension a new entry would undo, because who said so is not in
    it any more (docs/protocol/recognition.md 3.1)."""
    if before is None:
        return []
    old, new = (_states(city, others, said, region, now_us) for city in (before, after))
    return [
        name
        for name, state in sorted(old.items())
        if (state is State.ENDED and new.get(name) is not State.ENDED)
        or (state is State.SUSPENDED and new.get(name) in _OPEN)
    ]


def _states(
    city: City,
    others: Sequence[City],
    said: Mapping[str, tuple[str, ...]],
    region: str,
    now_us: int,
) -> dict[str, State]:
    listed = TrustList(
        iss=region,
        serial=1,
        issued_us=now_us,
        expires_us=now_us,
        content=b"",
        cities={each.entry.code: each for each in (city, *others)},
        agreements=dict(said),
        left_out=(),
    )
    read = Statements(city.entry.code).read(listed)
    concluded = (conclude(name, statements, now_us) for name, statements in read.items())
    return {each.id: each.state for each in concluded if each is not None}
