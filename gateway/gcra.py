"""The generic cell rate algorithm: a rate with a burst, kept as one number a name.

The number is the instant at which the whole burst is there again. Everything here is pure and in
whole microseconds; `gateway/store/limit.py` does the same in Valkey, on its clock, and a test
holds the two against each other.
"""

from __future__ import annotations

import msgspec

from gateway.clock import SECOND_US

#: Rates and bursts that fit: an interval is at least 10 µs, and every product stays far below
#: 2^53, beyond which a script's numbers would be inexact.
RATE_MAX, BURST_MAX = 100_000, 1_000_000


class Rate(msgspec.Struct, frozen=True):
    """How much a name may do: one thing in `interval_us` for ever, `burst` at once after a rest."""

    interval_us: int
    burst: int

    @staticmethod
    def of(per_s: int, burst: int) -> Rate:
        """So many a second. An interval is whole microseconds, rounded to the slower side."""
        return Rate(-(-SECOND_US // per_s), burst)

    @property
    def depth_us(self) -> int:
        """How long the whole burst takes to come back."""
        return self.burst * self.interval_us

    @property
    def window_s(self) -> int:
        """Whole seconds in which the burst is there again: who keeps to `burst` in each such
        window, whenever it begins, is never refused."""
        return -(-self.depth_us // SECOND_US)

    def share(self, of: int) -> Rate:
        """The part of one of `of` that keep a rate together without knowing of each other."""
        return Rate(self.interval_us * of, max(1, self.burst // of))


class Grant(msgspec.Struct, frozen=True):
    """What became of a count that was asked for."""

    admitted: int  # of the count, from its beginning
    remaining: int  # how many more would be admitted at once
    reset_us: int  # until the whole burst is there again
    retry_us: int  # until one more is admitted, 0 = now


class Quota(msgspec.Struct, frozen=True):
    """Where a name stands, in words for people: `remaining` of `quota` in any `window_s` seconds.

    After `reset_s` all of it is there again or, with nothing left, some is.
    """

    quota: int
    window_s: int
    remaining: int
    reset_s: int


def charge(full_at_us: int, now_us: int, rate: Rate, count: int) -> tuple[int, Grant]:
    """Take up to `count` at an instant: the name's new number, and what was granted.

    A number that cannot be true, in the past or further ahead than a whole burst, is brought to
    the nearest that can: the rate may have been changed, or a clock set.
    """
    depth_us = rate.depth_us
    full_at_us = min(max(full_at_us, now_us), now_us + depth_us)
    admitted = min(count, (now_us + depth_us - full_at_us) // rate.interval_us)
    full_at_us += admitted * rate.interval_us
    room_us = now_us + depth_us - full_at_us
    grant = Grant(
        admitted=admitted,
        remaining=room_us // rate.interval_us,
        reset_us=full_at_us - now_us,
        retry_us=max(0, rate.interval_us - room_us),
    )
    return full_at_us, grant
