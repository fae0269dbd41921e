"""What parties are told of a consent: written in the transaction of the change itself.

A message names the citizen by the recipient's own subject and says what is the state of the
consent, nothing of why. Messages may arrive late, twice or out of order; `version` says which is
newer, and a party can always ask again. The sender is in gateway/webhooks.py.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.clock import rfc3339
from gateway.ids import Ids
from gateway.pseudonyms import Pseudonyms
from gateway.store import webhook as rows
from gateway.store.consent import Consent
from gateway.store.database import Connection
from gateway.store.webhook import Message

#: What a recipient must do when a consent has ended (PIPL 47).
DELETE_UNLESS = "a law obliges you to keep it; then store it and use it for nothing else"

_ENDINGS = ("consent.withdrawn", "consent.expired")


class Outbox:
    """Writes the messages of one city."""

    def __init__(self, ids: Ids, pseudonyms: Pseudonyms) -> None:
        self._ids, self._pseudonyms = ids, pseudonyms

    async def consent(
        self,
        connection: Connection,
        event: str,
        consent: Consent,
        *,
        requested: tuple[int, dict[str, str]] | None = None,
    ) -> None:
        """Tell every party that acts for the consent's recipient in its scenario.

        `requested` is the party whose request led here, with what names that request: the others
        are not told whom the citizen spoke with.
        """
        asker, names = requested or (0, {})
        listening = await rows.listeners(connection, consent.recipient, consent.scenario)
        messages = [
            self._message(
                party,
                event,
                consent.at_us,
                self._said(event, consent, sector) | (names if party == asker else {}),
            )
            for party, sector in listening
        ]
        await rows.add(connection, messages)

    async def request(
        self, connection: Connection, event: str, party: int, at_us: int, data: dict[str, Any]
    ) -> None:
        """Tell the one party whose request ended without a consent; no citizen is named."""
        if await rows.listens(connection, party):
            await rows.add(connection, [self._message(party, event, at_us, data)])

    def _said(self, event: str, consent: Consent, sector: int) -> dict[str, Any]:
        said: dict[str, Any] = {
            "scenario": consent.scenario,
            "subject": self._pseudonyms.subject(consent.citizen, sector),
            "purpose": consent.purpose,
            "version": consent.version,
        }
        if event in _ENDINGS:
            said["delete"] = {"what": ["subject", *consent.fields], "unless": DELETE_UNLESS}
        return said

    def _message(self, party: int, event: str, at_us: int, data: dict[str, Any]) -> Message:
        body = {"type": event, "timestamp": rfc3339(at_us), "data": data}
        payload = msgspec.json.encode(body).decode()
        return Message(f"msg_{self._ids.token()}", party, event, payload)
