"""What staff read aloud to a person without a phone: the very texts that are shown on phones.

Nothing here depends on who listens: the texts are read before anybody is looked up, so that the
desk cannot learn from what is left out what the person agreed to before.
"""

from __future__ import annotations

import msgspec

from gateway.clock import Clock
from gateway.consent_notice import Between, Notice, Words, notice
from gateway.errors import Forbidden, Malformed, NotFound, TextChanged
from gateway.notice import Notice as ScoreNotice
from gateway.parties import Parties, Registration
from gateway.settings import Settings
from gateway.store import assisted as rows
from gateway.store.database import Database
from gateway.store.party import PartyRow
from scenarios.compiler import Compiled
from scenarios.registry import Registry


class ReadText(msgspec.Struct, frozen=True):
    """A text to agree to, and the hash that agreeing names. The Chinese text is the binding one."""

    version: str
    sha256: str
    zh: str
    en: str


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of one scenario: None where it asks for no such word."""

    score: ReadText | None
    consent: ReadText
    commitment: ReadText | None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All that is read aloud before a person says yes or no, three times."""

    scenario: str
    title: Words
    notice: Notice
    texts: Texts


class Remit(msgspec.Struct, frozen=True):
    """Within what a party's counter may act: the party and its registration, as they are now."""

    party: PartyRow
    registration: Registration
    scenario: Compiled


class AssistedTexts:
    """The texts of the city's scenarios, for its parties' counters."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        registry: Registry,
        parties: Parties,
        score_notice: ScoreNotice,
        clock: Clock,
    ) -> None:
        self._settings, self._database = settings, database
        self._registry, self._parties = registry, parties
        self._score_notice, self._clock = score_notice, clock

    def remit(self, party: str, scenario: str) -> Remit:
        """Where a party stands in a scenario; its counter does nothing outside of that.

        Raises:
            NotFound: there is no such scenario.
            Forbidden: the party is not registered for it, or is suspended.
        """
        compiled = self._registry.get(scenario)
        if compiled is None or compiled.manifest.status != "live":
            raise NotFound
        known = self._parties.get(party)
        registration = known.registrations.get(scenario) if known else None
        if known is None or not known.active or registration is None:
            raise Forbidden("not-registered")
        return Remit(known.row, registration, compiled)

    async def reading(self, party: str, scenario: str, purpose: str) -> Reading:
        """What is to be read aloud for a scenario and one of its purposes.

        Raises:
            NotFound, Forbidden: as `remit`.
            Malformed: the purpose is not one of the scenario's.
        """
        remit = self.remit(party, scenario)
        check_purpose(remit, purpose)
        recipient = remit.registration.recipient
        async with self._database.connection() as connection:
            promise = await rows.promise(connection, recipient.entity)
        asking = Between(
            purpose=purpose,
            recipient_name=recipient.name,
            recipient_contact=recipient.contact,
            recipient_promise=promise,
            party_name=remit.party.name,
            party_kind=remit.party.kind,
            party_city=remit.party.city,
        )
        told = notice(self._settings, remit.scenario, asking, self._clock.now_us())
        return Reading(scenario=scenario, title=told.title, notice=told, texts=self.texts(remit))

    def texts(self, remit: Remit) -> Texts:
        """The texts of a scenario as they stand now."""
        manifest, score = remit.scenario.manifest, self._score_notice
        consent, promise = manifest.consent, manifest.commitment
        return Texts(
            # Only where the rule reads the band is the score's notice any business of the person.
            score=ReadText(score.version, score.sha256.hex(), score.zh, score.en)
            if "band" in remit.scenario.reads
            else None,
            consent=ReadText(consent.version, consent.text_sha256.hex(), consent.zh, consent.en),
            commitment=ReadText(promise.version, promise.text_sha256.hex(), promise.zh, promise.en)
            if promise is not None
            else None,
        )


def check_purpose(remit: Remit, purpose: str) -> None:
    """Refuse a purpose that the scenario does not have."""
    if purpose not in remit.scenario.manifest.purposes:
        raise Malformed([("/purpose", "not a purpose of this scenario")])


def same_words(read: str | None, text: ReadText | None, name: str) -> None:
    """Whether what was read is the text as it stands.

    Raises:
        Malformed: the scenario has no such text, or it was not read.
        TextChanged: it is another text now.
    """
    if (read is None) != (text is None):
        raise Malformed([(f"/read/{name}", "not what this scenario asks to read")])
    if text is not None and read != text.sha256:
        raise TextChanged
