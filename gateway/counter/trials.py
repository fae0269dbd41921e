"""How many different facts the counters of a party may try about one citizen.

Whoever tries amount after amount finds a citizen's limit by halving, some seventeen questions, in
less time than the watch on probing takes to look. A shop tries a second and a third. What is over
the bound is not decided at all, and the refusal depends on what was asked alone: it says nothing
of the citizen. Neither party nor citizen can be read from what is kept.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

from gateway.clock import MINUTE_US
from gateway.errors import TooManyRequests
from gateway.gcra import Rate
from gateway.misses import count
from gateway.store.database import Database

#: Different facts about one citizen in one scenario, at all counters of a party together.
DIFFERENT: Final = Rate(5 * MINUTE_US, 4)

#: The same facts again cost nothing, for as long as the whole allowance takes to come back.
SAME: Final = Rate(DIFFERENT.depth_us, 1)

_LABEL = b"counter-trial/"


class Trials:
    """Counts them, in PostgreSQL for all workers together.

    Args:
        key: a secret of the city, for names that nobody else can make.
    """

    def __init__(self, key: bytes, database: Database) -> None:
        self._key, self._database = key, database

    async def count(self, party: int, citizen: UUID, scenario: str, facts_json: bytes) -> None:
        """Count these facts, once.

        Raises:
            TooManyRequests: too many others were tried lately.
        """
        about = b"%d/%s/%s/" % (party, citizen.bytes, scenario.encode())
        async with self._database.transaction() as connection:
            try:
                await count(connection, {self._name(about + facts_json): SAME})
            except TooManyRequests:
                return  # they are among those that were counted
            # A refusal takes back that these facts were seen: the next try is refused as well.
            await count(connection, {self._name(about): DIFFERENT})

    def _name(self, of: bytes) -> str:
        return "trial/" + hmac.digest(self._key, _LABEL + of, "sha256").hex()[:32]
