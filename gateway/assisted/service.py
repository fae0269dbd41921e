"""Assisted service, put together: what a counter can do for a person without a phone."""

from __future__ import annotations

from gateway.assisted.acts import AssistedActs, Books
from gateway.assisted.finding import Finding
from gateway.assisted.recording import Recording
from gateway.assisted.texts import AssistedTexts
from gateway.assisted.withdrawal import Withdrawal
from gateway.citizens import Citizens
from gateway.clock import Clock
from gateway.counter.tickets import Tickets
from gateway.ids import Ids
from gateway.parties import Parties
from gateway.pseudonyms import Pseudonyms
from gateway.settings import Settings
from gateway.store.database import Database
from scenarios.registry import Registry


class Assisted:
    """Reading aloud, recording, finding again and taking back; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        books: Books,
        registry: Registry,
        parties: Parties,
        citizens: Citizens,
        pseudonyms: Pseudonyms,
        tickets: Tickets,
        clock: Clock,
        ids: Ids,
    ) -> None:
        acts = AssistedActs(settings, ids)
        self.texts = AssistedTexts(
            settings=settings,
            database=database,
            registry=registry,
            parties=parties,
            score_notice=books.authorisations.notice,
            clock=clock,
        )
        self.finding = Finding(
            database=database,
            citizens=citizens,
            texts=self.texts,
            acts=acts,
            pseudonyms=pseudonyms,
            tickets=tickets,
            ids=ids,
        )
        self.recording = Recording(
            books=books,
            citizens=citizens,
            texts=self.texts,
            finding=self.finding,
            acts=acts,
            ids=ids,
        )
        self.withdrawal = Withdrawal(
            books=books,
            texts=self.texts,
            finding=self.finding,
            acts=acts,
        )
