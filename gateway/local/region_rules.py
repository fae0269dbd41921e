"""What a new entry may not do to the list, looked at before anybody reads it. Pure.

Readers leave out what they cannot rely on; a region that knows better says so to whoever sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.errors import GatewayError
from gateway.jwk import thumbprint
from gateway.recognition.entry import City
from gateway.recognition.signing import seen
from gateway.recognition.trust_list import MAX_BYTES

#: Bytes of a list besides its entries and statements: header, times and signature; around one part;
#: and around the statements of one agreement, with its id.
_AROUND: Final = 2048
_BETWEEN: Final = 3
_NAMED: Final = 96


class RegionDeclines(GatewayError):
    """The region does not do that; the message says why."""


def fault_beside(city: City, others: Sequence[City]) -> str | None:
    """Why an entry, beside those of other codes, would leave somebody out of the list."""
    mine = _keys(city)
    for other in others:
        whose = f"{other.entry.code} {other.entry.name.zh}"
        if other.entry.issuer == city.entry.issuer:
            return f"issuer: {city.entry.issuer} is that of {whose}; each city has its own"
        theirs = _keys(other)
        if shared := [key for key in mine if key in theirs]:
            return (
                f"{mine[shared[0]]}: the key is in the entry of {whose} too, under "
                f"{theirs[shared[0]]}; each city and each operator has a key of their own"
            )
    return None


def fault_of_size(parts: Iterable[int], agreements: int) -> str | None:
    """Why entries and statements of so many bytes, about so many agreements, make a list that
    nobody reads; None where they do not (docs/protocol/recognition.md 3.7)."""
    # Base64url makes four characters of three bytes.
    most = MAX_BYTES // 4 * 3 - _AROUND
    size = sum(part + _BETWEEN for part in parts) + _NAMED * agreements
    if size <= most:
        return None
    return f"the list would have {size:,} bytes, and readers take {most:,}; first let others go"


def fault_of_keys(city: City) -> str | None:
    """Why an entry's keys are not one for each purpose and each person."""
    first = dict[str, str]()
    for key, where in _keyed(city):
        if (before := first.setdefault(key, where)) != where:
            return f"{where}: the key is that of {before} too; each has a key of its own"
    return None


def _keys(city: City) -> dict[str, str]:
    """An entry's keys by thumbprint, and where each stands in it."""
    return dict(_keyed(city))


def _keyed(city: City) -> Iterator[tuple[str, str]]:
    for (purpose, kid), key in city.keys.items():
        yield thumbprint(key.public), f"keys: {purpose} {kid}"
    for kid, key in city.operators.items():
        yield thumbprint(key.public), f"operators: {city.signers[kid]} ({kid})"


def fault_of_operators(city: City) -> str | None:
    """Why an entry's operators are not two persons whom people can tell apart."""
    people = {seen(each.name) for each in city.entry.operators}
    if "" in people:
        return "operators: one has no name that can be read"
    if len(people) < 2:
        return "operators: two people are wanted, with names that can be told apart"
    return None
