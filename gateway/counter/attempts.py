"""How often people may try to get in at the counter, counted by each worker for itself.

Strangers are counted by their address and by the login that they try. Whoever shows something that
a stranger cannot have is counted by that alone: a browser in which the person signed in before, the
ticket of a right password, a link that an operator handed over. So strangers who use up the last of
the others keep nobody out, not even where all come from the address of one proxy.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final
from uuid import UUID

from gateway.clock import Clock
from gateway.errors import TooManyRequests
from gateway.oauth.throttle import Throttle

#: What one customer of a network has of IPv6: whoever has one address there has all (RFC 6177).
PREFIX_BITS: Final = 64


class Attempts:
    """The bounds at one worker."""

    def __init__(self, clock: Clock) -> None:
        self._by_address = Throttle(clock, per_s=1.0, burst=60)
        self._by_login = Throttle(clock, per_s=1 / 20, burst=30)
        self._by_both = Throttle(clock, per_s=1 / 30, burst=10)
        self._by_known = Throttle(clock, per_s=1 / 30, burst=10)
        self._by_account = Throttle(clock, per_s=1 / 5, burst=30)
        self._by_link = Throttle(clock, per_s=1 / 5, burst=30)

    def stranger(self, login: str, address: str) -> None:
        """Count a password from a browser in which the login never signed in.

        Raises:
            TooManyRequests: too many come from there, or for this login from anywhere.
        """
        place = place_of(address)
        _no_wait(
            self._by_address.wait_s(place)
            or self._by_both.wait_s(f"{login} {place}")
            or self._by_login.wait_s(login)
        )

    def known(self, login: str) -> None:
        """Count a password from a browser in which this login signed in before.

        Raises:
            TooManyRequests: it tries too often.
        """
        _no_wait(self._by_known.wait_s(login))

    def account(self, staff: UUID) -> None:
        """Count a second step of an account whose password was right.

        Raises:
            TooManyRequests: it tries too often.
        """
        _no_wait(self._by_account.wait_s(staff.hex))

    def link(self, link: bytes) -> None:
        """Count a step of taking up an account by a link that exists, named by its hash.

        Raises:
            TooManyRequests: it is used too often.
        """
        _no_wait(self._by_link.wait_s(link.hex()))


def place_of(address: str) -> str:
    """Where an address is, for bounds: itself, or for IPv6 the network that one customer has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:  # a socket for both families shows IPv4 so
        return str(found.ipv4_mapped)
    return str(IPv6Network((found.packed, PREFIX_BITS), strict=False))


def _no_wait(wait_s: int) -> None:
    if wait_s:
        raise TooManyRequests(wait_s)
