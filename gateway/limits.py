"""What a party may ask: its own limit, kept in Valkey for all workers together.

The hot path asks once for each batch of standings, in the same round trip
(`Cache.get_limited`); other routes ask once for each request. Where Valkey does not answer, every
worker limits by itself, each to its share: never unlimited. A limit is a party's and never a
citizen's, so that a refusal says nothing about anybody.

Every question that is understood counts, a repeat with the same `request_id` too: it costs a
commit of its own. What is refused as malformed or for its token does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.batching import Batcher
from gateway.clock import SECOND_US, Clock
from gateway.counts import Counts
from gateway.errors import QuotaExceeded
from gateway.gcra import Grant, Quota, charge
from gateway.parties import Party
from gateway.store.cache import Cache
from gateway.store.limit import Charge

#: Parties remembered at once; the longest silent goes first.
REMEMBERED = 10_000

#: Requests counted in one round trip.
CHARGES_MAX = 256


class LocalLimits:
    """The same algorithm in one worker's memory, for the time without Valkey.

    Args:
        workers: how many keep the city's limits together.
    """

    def __init__(self, clock: Clock, workers: int) -> None:
        self._clock, self._workers = clock, workers
        self._full_at_us: dict[int, int] = {}

    def charge(self, charges: Iterable[Charge]) -> list[Grant]:
        """What is granted of each charge at this worker's share."""
        now_us = int(self._clock.monotonic() * SECOND_US)
        return [self._charge(each, now_us) for each in charges]

    def _charge(self, wanted: Charge, now_us: int) -> Grant:
        # Taken out and put back, the party becomes the youngest; the first is then the oldest.
        held_us = self._full_at_us.pop(wanted.party, 0)
        full_at_us, grant = charge(held_us, now_us, wanted.rate.share(self._workers), wanted.count)
        self._full_at_us[wanted.party] = full_at_us
        if len(self._full_at_us) > REMEMBERED:
            del self._full_at_us[next(iter(self._full_at_us))]
        return grant


class Limits:
    """The parties' limits as one worker asks for them."""

    def __init__(self, cache: Cache, clock: Clock, counts: Counts, *, workers: int) -> None:
        self._cache = cache
        self._counts = counts
        self._local = LocalLimits(clock, workers)
        self._quotas: dict[int, Quota] = {}
        # One exchange with Valkey at a time: a flood of requests must not queue up for turns.
        self._charging: Batcher[Party, None] = Batcher(
            self._charge_all, batch_max=CHARGES_MAX, waiting_max=4 * CHARGES_MAX
        )

    async def get(
        self, keys: Sequence[bytes], askers: Sequence[Party | None]
    ) -> tuple[list[bytes | None], list[QuotaExceeded | None]]:
        """The cache's values of keys, and for each asker None or the refusal that it gets.

        One round trip; the askers of one party are admitted from the first on.
        """
        charges = _charges(askers)
        if not charges:
            return await self._cache.get(keys), [None] * len(askers)
        found, grants = await self._cache.get_limited(keys, charges)
        return found, self._refusals(askers, charges, grants or self._local.charge(charges))

    async def charge(self, party: Party) -> None:
        """Count one request of a party, in a round trip shared by all of a tick.

        Raises:
            QuotaExceeded: the party's limit is spent.
            Overloaded: too many are waiting.
        """
        await self._charging.submit(party)

    async def _charge_all(self, parties: Sequence[Party]) -> list[QuotaExceeded | None]:
        _, refusals = await self.get([], list(parties))
        return refusals

    def quota(self, party: Party) -> Quota:
        """Where a party stood when this worker last asked."""
        held = self._quotas.get(party.row.num)
        return held or Quota(party.rate.burst, party.rate.window_s, party.rate.burst, 0)

    def _refusals(
        self, askers: Sequence[Party | None], charges: Sequence[Charge], grants: Sequence[Grant]
    ) -> list[QuotaExceeded | None]:
        left: dict[int, int] = {}
        refusals: dict[int, QuotaExceeded] = {}
        for wanted, grant in zip(charges, grants, strict=True):
            self._note(wanted, grant)
            if grant.admitted < wanted.count:
                left[wanted.party] = grant.admitted
                refusals[wanted.party] = _refusal(wanted, grant)
                self._counts.limited("party_quota", wanted.count - grant.admitted)
        answers: list[QuotaExceeded | None] = [None] * len(askers)
        for at, asker in enumerate(askers if left else ()):
            if asker is not None and (number := asker.row.num) in left:
                if left[number] == 0:
                    answers[at] = refusals[number]
                else:
                    left[number] -= 1
        return answers

    def _note(self, wanted: Charge, grant: Grant) -> None:
        rate, wait_us = wanted.rate, grant.reset_us if grant.remaining else grant.retry_us
        self._quotas.pop(wanted.party, None)
        self._quotas[wanted.party] = Quota(
            rate.burst, rate.window_s, grant.remaining, -(-wait_us // SECOND_US)
        )
        if len(self._quotas) > REMEMBERED:
            del self._quotas[next(iter(self._quotas))]


def _charges(askers: Iterable[Party | None]) -> list[Charge]:
    """One charge for each party among the askers."""
    counts: dict[int, int] = {}
    parties: dict[int, Party] = {}
    for asker in askers:
        if asker is not None:
            number = asker.row.num
            counts[number] = counts.get(number, 0) + 1
            parties[number] = asker
    return [Charge(number, parties[number].rate, count) for number, count in counts.items()]


def _refusal(wanted: Charge, grant: Grant) -> QuotaExceeded:
    wait_s = max(1, -(-grant.retry_us // SECOND_US))
    return QuotaExceeded(wait_s, quota=wanted.rate.burst, window_s=wanted.rate.window_s)
