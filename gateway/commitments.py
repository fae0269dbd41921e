"""Commitments (信用承诺): a text is shown, the citizen's own device signs it, the city keeps it.

A promise is free: not signing has no effect but the ordinary way, and it may be taken back
(深圳经济特区社会信用条例 62). The signature is by a key that only the citizen has, over the hash of
the very text shown and a nonce of ours that is good once; text and signature are kept as they are
(电子签名法 13). Everything is checked inside the change of the standing, so a key that is revoked
at the same moment either signed before or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from gateway.claims import CommitmentClaims, Kind
from gateway.clock import SECOND_US, Clock
from gateway.commitment_receipt import Evidence
from gateway.commitment_texts import CommitmentTexts
from gateway.devices import DeviceKeys
from gateway.errors import CommitmentRefused, Conflict, Malformed, NotFound, TextChanged
from gateway.idempotency import Act, once
from gateway.ids import Ids
from gateway.jose import Passed, verify
from gateway.parties import Parties
from gateway.pseudonyms import Pseudonyms
from gateway.standing import StandingWriter
from gateway.store import commitment as rows
from gateway.store import device as device_rows
from gateway.store.commitment import CommitmentRow, NewCommitment, NonceRow
from gateway.store.database import Connection, Database
from gateway.store.party import Recipient
from scenarios.manifest import Commitment, Text
from scenarios.registry import Registry

#: How long a text that was shown may be signed, in seconds.
DRAFT_LIFE_S: Final = 600
#: The sector of the city itself: a commitment towards no particular recipient.
CITY_SECTOR: Final = 0


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text to sign, and every claim of the signature but the words themselves."""

    text: Commitment
    scenario: str
    party: str | None
    subject: str
    nonce: str
    iat: int
    exp: int


class Offer(NamedTuple):
    """A text that may be signed, and towards whom; None for the city."""

    text: Commitment
    recipient: Recipient | None


class Commitments:
    """The commitments of the city's citizens."""

    def __init__(
        self,
        database: Database,
        writer: StandingWriter,
        registry: Registry,
        parties: Parties,
        pseudonyms: Pseudonyms,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._database, self._writer = database, writer
        self._registry, self._parties, self._pseudonyms = registry, parties, pseudonyms
        self._clock, self._ids = clock, ids
        self._texts = CommitmentTexts(registry)

    async def of(self, citizen: UUID) -> list[CommitmentRow]:
        """The newest version of each commitment of a citizen."""
        async with self._database.connection() as connection:
            return await rows.newest(connection, citizen)

    def offer(self, scenario: str, party: str | None) -> Offer:
        """What a draft would show, without making one: for a page that is only being read.

        Raises:
            NotFound: no such scenario, or one that asks for no commitment.
            Malformed: the party is not one of this scenario.
        """
        text = self._text_of(scenario)
        recipient = self._recipient(scenario, party)
        if party is not None and recipient is None:
            raise Malformed([("/party", "not a party of this scenario")])
        return Offer(text, recipient)

    def title(self, scenario: str) -> Text:
        """What a scenario is called; by its id where it is no longer one of the city's."""
        return self._registry.title(scenario)

    async def texts(self, rows_: Sequence[CommitmentRow]) -> dict[UUID, Text | None]:
        """The words that commitments were signed under, by id, changed since or not."""
        async with self._database.connection() as connection:
            return await self._texts.of(connection, rows_)

    async def evidence(self, citizen: UUID, commitment: UUID, version: int | None) -> Evidence:
        """All that a receipt is made of: a version (the newest for None), its words, its device.

        Raises:
            NotFound: the citizen has no such commitment, or no such version of it, or no device
                signed it: of what staff recorded at a counter the printed receipt is the evidence.
        """
        async with self._database.connection() as connection:
            row = await rows.version(connection, citizen, commitment, version)
            if row is None:
                raise NotFound
            devices = await device_rows.of_citizen(connection, citizen)
            device = next((device for device in devices if device.id == row.device), None)
            if device is None:
                raise NotFound
            return Evidence(row, (await self._texts.of(connection, [row]))[row.id], device)

    async def draft(self, citizen: UUID, scenario: str, party: str | None) -> Draft:
        """Show a scenario's text under a fresh nonce, towards one party's recipient or the city.

        Raises:
            NotFound: no such scenario, or one that asks for no commitment.
            Malformed: the party is not one of this scenario.
        """
        offer = self.offer(scenario, party)
        text = offer.text
        now = self._clock.now_us() // SECOND_US
        draft = Draft(
            text=text,
            scenario=scenario,
            party=party,
            subject=self._subject(citizen, offer.recipient),
            nonce=self._ids.token(),
            iat=now,
            exp=now + DRAFT_LIFE_S,
        )
        shown = NonceRow(
            scenario=scenario,
            party=party,
            template=text.template,
            template_version=text.version,
            text_sha256=text.text_sha256,
            expires_us=draft.exp * SECOND_US,
        )
        async with self._database.connection() as connection:
            await rows.draft(connection, _hash(draft.nonce), citizen, shown)
        return draft

    async def sign(self, citizen: UUID, jws: str, act: Act | None) -> CommitmentRow:
        """Take a signed commitment; an earlier one of the same scenario and recipient gives way.

        Raises:
            CommitmentRefused: signature, key, nonce or a claim does not pass.
            TextChanged: the scenario's text is another now.
        """
        async with self._writer.change(citizen) as connection:
            return await once(
                connection, act, CommitmentRow, lambda: self._sign(connection, citizen, jws)
            )

    async def sign_within(self, connection: Connection, citizen: UUID, jws: str) -> CommitmentRow:
        """`sign` inside a change of this citizen's standing, for many citizens in one change."""
        return await self._sign(connection, citizen, jws)

    async def promise_aloud_within(
        self,
        connection: Connection,
        citizen: UUID,
        scenario: str,
        entity: str,
        text_sha256: bytes,
        assisted: UUID,
    ) -> CommitmentRow:
        """A promise said at a counter to words read aloud, inside a change of the standing.

        No device signs it; `assisted` is the act of staff that records it.

        Raises:
            NotFound: the scenario asks for no commitment.
            TextChanged: the scenario's text is another now.
        """
        text = self._text_of(scenario)
        if text.text_sha256 != text_sha256:
            raise TextChanged
        new = NewCommitment(
            id=self._ids.random_uuid(),
            version=1,
            citizen=citizen,
            scenario=scenario,
            entity=entity,
            template=text.template,
            template_version=text.version,
            text_sha256=text_sha256,
            assisted=assisted,
        )
        return await self._add(connection, new)

    async def withdraw_aloud_within(
        self, connection: Connection, citizen: UUID, scenario: str, entity: str
    ) -> CommitmentRow | None:
        """Take back what stands towards one recipient, inside a change of the standing."""
        for held in await rows.newest(connection, citizen):
            if (held.scenario, held.entity, held.status) == (scenario, entity, "signed"):
                await rows.withdraw(connection, citizen, held.id, held.version)
                return await _one(connection, citizen, held.id)
        return None

    async def withdraw(self, citizen: UUID, commitment: UUID) -> CommitmentRow:
        """Take a commitment back; again is the same as once.

        Raises:
            NotFound: the citizen has no such commitment.
            Conflict: it is void.
        """
        async with self._writer.change(citizen) as connection:
            held = await _one(connection, citizen, commitment)
            if held.status == "void":
                raise Conflict
            if held.status == "signed":
                await rows.withdraw(connection, citizen, commitment, held.version)
            return await _one(connection, citizen, commitment)

    async def withdraw_all_within(self, connection: Connection, citizen: UUID) -> None:
        """`withdraw` of every commitment that stands, inside a change of this standing."""
        for held in await rows.newest(connection, citizen):
            if held.status == "signed":
                await rows.withdraw(connection, citizen, held.id, held.version)

    async def _sign(self, connection: Connection, citizen: UUID, jws: str) -> CommitmentRow:
        keys = DeviceKeys(citizen, await device_rows.of_citizen(connection, citizen))
        passed = verify(
            jws,
            Kind.COMMITMENT,
            keys,
            issuer=str(citizen),
            audience=None,
            now_us=self._clock.now_us(),
        )
        if not isinstance(passed, Passed):
            raise CommitmentRefused(passed.reason)
        claims = passed.claims
        assert isinstance(claims, CommitmentClaims), "the kind's own claims"
        # The nonce is what makes a signature good once: every ES256 signature has a twin that is
        # as valid, so neither its bytes nor its hash could.
        shown = await rows.use_nonce(connection, _hash(claims.nonce), citizen)
        if shown is None:
            raise CommitmentRefused("nonce")
        recipient = self._recipient(shown.scenario, shown.party)
        if shown.party is not None and recipient is None:
            # Towards nobody it must not become a promise towards everybody.
            raise CommitmentRefused("party-gone")
        self._compare(claims, shown, self._subject(citizen, recipient))
        if self._text_of(shown.scenario).text_sha256 != shown.text_sha256:
            raise TextChanged
        new = NewCommitment(
            id=self._ids.random_uuid(),
            version=1,
            citizen=citizen,
            scenario=shown.scenario,
            entity=recipient.entity if recipient else None,
            template=shown.template,
            template_version=shown.template_version,
            text_sha256=shown.text_sha256,
            device=keys.device(passed.kid),
            jws=jws,
        )
        return await self._add(connection, new)

    def _compare(self, claims: CommitmentClaims, shown: NonceRow, subject: str) -> None:
        """Every claim against what was shown; `iat` alone is the device's to say."""
        told = msgspec.structs.asdict(claims)
        true = {
            "template": shown.template,
            "template_version": shown.template_version,
            "text_sha256": shown.text_sha256.hex(),
            "scenario": shown.scenario,
            "party": shown.party,
            "subject": subject,
            "exp": shown.expires_us // SECOND_US,
        }
        for name, value in true.items():
            if told[name] != value:
                raise CommitmentRefused(name)

    async def _add(self, connection: Connection, new: NewCommitment) -> CommitmentRow:
        """Add a commitment, as the next version of one of the same scenario and recipient."""
        for held in await rows.newest(connection, new.citizen):
            if (held.scenario, held.entity) == (new.scenario, new.entity):
                new = msgspec.structs.replace(new, id=held.id, version=held.version + 1)
        await rows.add(connection, new)
        return await _one(connection, new.citizen, new.id)

    def _text_of(self, scenario: str) -> Commitment:
        compiled = self._registry.get(scenario)
        if compiled is None or compiled.manifest.commitment is None:
            raise NotFound
        return compiled.manifest.commitment

    def _recipient(self, scenario: str, party: str | None) -> Recipient | None:
        known = self._parties.get(party) if party is not None else None
        registration = known.registrations.get(scenario) if known and known.active else None
        return registration.recipient if registration else None

    def _subject(self, citizen: UUID, recipient: Recipient | None) -> str:
        sector = recipient.sector if recipient else CITY_SECTOR
        return self._pseudonyms.subject(citizen, sector)


def _hash(nonce: str) -> bytes:
    return hashlib.sha256(nonce.encode()).digest()


async def _one(connection: Connection, citizen: UUID, commitment: UUID) -> CommitmentRow:
    for row in await rows.newest(connection, citizen):
        if row.id == commitment:
            return row
    raise NotFound
