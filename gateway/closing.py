"""Closing an account: all of it at once, and afterwards nobody is left to find (PIPL 47).

One change of the standing: consents are withdrawn, and parties told what to delete; promises,
devices and the authorisation of the score end; then identity and key are destroyed. The standing
that is rebuilt and cached is that of nobody, so when this is acknowledged every question that
starts afterwards reads the ordinary way, by the protocol of any withdrawal. What the law keeps
stays without a name: docs/citizens.md says what, and for how long.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from gateway.authorisations import Authorisations
from gateway.commitments import Commitments
from gateway.consents import Consents
from gateway.devices import Devices
from gateway.errors import OpenMatters, TextChanged
from gateway.idempotency import citizen_key
from gateway.notice import Notice
from gateway.recognition.held import Recognitions
from gateway.standing import StandingWriter
from gateway.store import closure as rows
from gateway.store import idempotency as idempotency_rows
from gateway.store.closure import OpenMatter
from gateway.store.database import Database

#: Open matters that are told at once.
TOLD: Final = 100


class Closing(msgspec.Struct, frozen=True):
    """The citizens' way out; one instance per worker. `text` is what is read before."""

    database: Database
    writer: StandingWriter
    consents: Consents
    commitments: Commitments
    devices: Devices
    authorisations: Authorisations
    recognitions: Recognitions
    text: Notice

    async def open_matters(self, citizen: UUID) -> list[OpenMatter]:
        """What must be settled before the account can be closed."""
        async with self.database.connection() as connection:
            return await rows.open_matters(connection, citizen, TOLD)

    async def close(self, citizen: UUID, text_sha256: bytes) -> None:
        """Close the account for good. When this returns, it is durable and binds everybody.

        Raises:
            TextChanged: the hash is not that of the text as it stands.
            OpenMatters: something must be settled first; nothing was changed.
            AccountClosed: it is closed already.
        """
        if text_sha256 != self.text.sha256:
            raise TextChanged
        await self.end(citizen)

    async def end(self, citizen: UUID) -> None:
        """Close the account of somebody who read no text: `close`, and visitors who stay away.

        Raises:
            OpenMatters: something must be settled first; nothing was changed.
            AccountClosed: it is closed already.
        """
        async with self.writer.change(citizen) as connection:
            if await rows.open_matters(connection, citizen, 1):
                raise OpenMatters
            await self.consents.withdraw_all_within(connection, citizen)
            await self.commitments.withdraw_all_within(connection, citizen)
            await self.devices.revoke_all_within(connection, citizen)
            await self.authorisations.withdraw_within(connection, citizen)
            await self.recognitions.forget_requests_within(connection, citizen)
            # Answers to the citizen's own writes, kept for repeats: nobody will repeat them.
            await idempotency_rows.forget(connection, citizen_key(citizen))
            await rows.close(connection, citizen)
