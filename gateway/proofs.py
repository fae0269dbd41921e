"""DPoP proofs accepted: each once in the whole city, decided by PostgreSQL (RFC 9449 11.1).

The workers' proofs of one moment go along in one statement; a proof is accepted when its row was
written, and neither the cache nor a worker's memory has a say. Where it cannot be told whether the
row was written there is no answer either: the sender makes another proof.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from gateway.batching import Batcher
from gateway.clock import Clock
from gateway.credential import Headers
from gateway.dpop import LIFE_S, Nonces, Proof, Wanted, judge
from gateway.forgeries import Forgeries
from gateway.jose import Reason, Refused
from gateway.store import proof as rows
from gateway.store.database import Database

#: How long beyond its life a used proof is remembered: workers' and the database's clocks differ
#: by less.
MARGIN_S: Final = 60


class Proofs:
    """The proofs of one worker.

    Args:
        key: the city's, from which those of nonces and of names are derived.
        batch_max, waiting_max: proofs in one statement, and waiting for theirs.
    """

    def __init__(
        self,
        key: bytes,
        clock: Clock,
        database: Database,
        forgeries: Forgeries,
        *,
        batch_max: int,
        waiting_max: int,
    ) -> None:
        self._clock, self._database, self._forgeries = clock, database, forgeries
        self._nonces = Nonces(hmac.digest(key, b"the nonces of DPoP proofs", "sha256"))
        self._name_key = hmac.digest(key, b"the names of DPoP proofs", "sha256")
        self._batcher: Batcher[bytes, bool] = Batcher(
            self._spend, batch_max=batch_max, waiting_max=waiting_max
        )

    def nonce(self) -> str:
        """A fresh nonce, for the `DPoP-Nonce` field of an answer."""
        return self._nonces.fresh(self._clock.now_us())

    async def accept(self, headers: Headers, wanted: Wanted, claimant: str) -> Proof | Refused:
        """Judge the proof of a request, and use it up.

        `claimant` is in whose name a bad signature counts.

        Raises:
            AbnormalUsage: too many bad signatures came in this name; it was not looked at.
            DependencyDown, Overloaded, OutcomeUnknown: PostgreSQL cannot decide.
        """
        answer = judge(
            headers,
            wanted,
            self._nonces,
            now_us=self._clock.now_us(),
            tolerates=lambda _: self._forgeries.tolerates(claimant),
        )
        if isinstance(answer, Refused):
            if answer.reason is Reason.SHED:
                raise self._forgeries.refusal()
            if answer.reason is Reason.SIGNATURE:
                self._forgeries.failed(claimant)
            return answer
        return (
            answer if await self._batcher.submit(self._name(answer)) else Refused(Reason.REPLAYED)
        )

    def _name(self, proof: Proof) -> bytes:
        return hmac.digest(self._name_key, f"{proof.jkt} {proof.jti}".encode(), "sha256")

    async def _spend(self, names: Sequence[bytes]) -> Sequence[bool]:
        async with self._database.connection() as connection:
            unused = await rows.use(connection, names, LIFE_S + MARGIN_S)
        # Of two alike in one batch the first is the one that was used.
        first = {name: place for place, name in reversed(list(enumerate(names)))}
        return [name in unused and first[name] == place for place, name in enumerate(names)]
