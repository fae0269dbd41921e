"""What was said of a citizen to other cities, for the citizen's own eyes; and letting go of it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from gateway.store import recognition as rows
from gateway.store import recognition_request as request_rows
from gateway.store.database import Connection, Database
from gateway.store.recognition import HeldRecognition

#: Recognitions that are told at once; the living come first.
TOLD: Final = 100


class Recognitions:
    """Citizens' recognitions; one instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, citizen: UUID) -> list[HeldRecognition]:
        """The cities that recognise a citizen, or did."""
        async with self._database.connection() as connection:
            return await rows.of_citizen(connection, citizen, TOLD)

    async def forget_requests_within(self, connection: Connection, citizen: UUID) -> None:
        """Remove what other cities asked, inside a change of the standing that ends the account.

        The recognitions themselves end with the consents on which they rest.
        """
        await request_rows.forget(connection, citizen)
