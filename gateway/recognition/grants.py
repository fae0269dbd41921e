"""This city's word on a citizen to another city: decided, recorded, and only then signed.

First the question is asked and recorded for each scenario, as any party's, so the citizen sees it
among the look-ups. Then, with the standing locked, the rules are asked once more of what stands at
that very moment; the recognition, its status bit and the end of the former one are one transaction.
A withdrawal either comes first, and there is no grant, or second, and ends it.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

import msgspec

from gateway.claims import (
    Confirmation,
    Kind,
    Recognition,
    RecognitionClaims,
    Status,
    StatusEntry,
)
from gateway.clock import SECOND_US, Clock
from gateway.consent_rules import state
from gateway.decision import Answer, Decisions
from gateway.errors import AccountClosed, Forbidden, GatewayError
from gateway.ids import Ids
from gateway.jose import sign
from gateway.keys import SigningKeys
from gateway.parties import Principal
from gateway.policies import Policies
from gateway.proposer import Question
from gateway.pseudonyms import Pseudonyms
from gateway.recognition.limits import Vouched
from gateway.recognition.openings import Asking, facts_of, opening
from gateway.recognition.partners import DEPOSITS, RECOGNITION, Partner
from gateway.recognition.status_lists import Slot, StatusLists
from gateway.settings import Settings
from gateway.standing import StandingWriter
from gateway.store import consent as consent_rows
from gateway.store import recognition as rows
from gateway.store import recognition_request as request_rows
from gateway.store import standing as standing_rows
from gateway.store.consent import Consent
from gateway.store.database import Connection
from gateway.store.recognition import NewRecognition
from gateway.store.recognition_request import Taken
from scenarios.contract import Outcome
from scenarios.registry import Registry

#: How long a grant may be presented, in seconds.
GRANT_LIFE_S: Final = 60


class Issued(msgspec.Struct, frozen=True):
    """A signed grant, the seconds it is good for, and what it is for."""

    grant: str
    expires_in: int
    scenarios: tuple[str, ...]


class _Made(msgspec.Struct, frozen=True):
    """What was recorded, and is to be signed."""

    id: UUID
    vouched: Vouched
    slot: Slot


class Grants:
    """Makes grants; one instance per worker."""

    def __init__(
        self,
        *,
        settings: Settings,
        keys: SigningKeys,
        writer: StandingWriter,
        decisions: Decisions,
        registry: Registry,
        policies: Policies,
        pseudonyms: Pseudonyms,
        status_lists: StatusLists,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._issuer, self._own = settings.issuer, settings.city
        self._deadline_s, self._keys = settings.decision_deadline_s, keys
        self._writer, self._decisions, self._registry = writer, decisions, registry
        self._policies, self._pseudonyms = policies, pseudonyms
        self._status_lists, self._clock, self._ids = status_lists, clock, ids

    async def issue(self, partner: Partner, taken: Taken, wanted: tuple[str, ...]) -> Issued | str:
        """The grant for the wanted scenarios that are open, or in a word why there is none.

        Raises:
            DependencyDown, OutcomeUnknown, Overloaded: nothing can be decided now.
            QuotaExceeded: the city's own limit is spent.
        """
        as_of, signers = self._policies.score_as_of, list(self._keys.items())
        if as_of is None or not signers:
            return "no-scores" if signers else "no-key"
        answers = await self._answers(partner, taken, wanted)
        if isinstance(answers, str):
            return answers
        try:
            async with self._writer.change(taken.citizen) as connection:
                made = await self._made(connection, partner, taken, answers)
        except AccountClosed:
            return "account-closed"
        if isinstance(made, str):
            return made
        kid, key = signers[-1]
        grant = sign(Kind.RECOGNITION, self._claims(partner, taken, made, as_of), kid, key)
        return Issued(grant, GRANT_LIFE_S, made.vouched.scenarios)

    def _claims(
        self, partner: Partner, taken: Taken, made: _Made, as_of: date
    ) -> RecognitionClaims:
        """What a grant says, and nothing besides (docs/protocol/recognition.md 5)."""
        now_s = self._clock.now_us() // SECOND_US
        return RecognitionClaims(
            iss=self._issuer,
            aud=partner.city.entry.issuer,
            client_id=partner.code,
            sub=self._pseudonyms.subject(taken.citizen, partner.registration.view.sector),
            jti=made.id,
            iat=now_s,
            exp=now_s + GRANT_LIFE_S,
            cnf=Confirmation(jkt=taken.jkt),
            recognition=Recognition(
                scheme=partner.scheme_name.id,
                scheme_version=partner.scheme_name.version,
                tier=made.vouched.tier,
                scenarios=made.vouched.scenarios,
                as_of=as_of,
                consent_id=taken.consent,
                policy_revision=self._registry[RECOGNITION].revision.hex(),
            ),
            status=Status(status_list=StatusEntry(idx=made.slot.idx, uri=made.slot.uri)),
        )

    async def _answers(
        self, partner: Partner, taken: Taken, wanted: tuple[str, ...]
    ) -> tuple[str, ...] | str:
        """The scenarios to which a recorded decision said yes."""
        questions = [self._question(partner, taken.citizen, scenario) for scenario in wanted]
        answers = await self._decisions.decide_many(questions)
        faults = [each for each in answers if isinstance(each, GatewayError)]
        if any(isinstance(fault, Forbidden) for fault in faults):
            return "party-suspended"
        if faults:
            raise faults[0]
        found = tuple(
            scenario
            for scenario, answer in zip(wanted, answers, strict=True)
            if isinstance(answer, Answer) and answer.outcome is Outcome.ELIGIBLE
        )
        return found or "not-open"

    def _question(self, partner: Partner, citizen: UUID, scenario: str) -> Question:
        rule, now_us = self._registry[RECOGNITION], self._clock.now_us()
        facts = facts_of(rule, partner.code, scenario)
        # The city proved itself by a key of the region's list, not by one of a party's own.
        until_us = now_us + GRANT_LIFE_S * SECOND_US
        return Question(
            principal=Principal(partner.party, None, now_us, until_us, frozenset()),
            registration=partner.registration,
            scenario=rule,
            citizen=citizen,
            facts=facts,
            facts_json=msgspec.json.encode(facts),
            received_us=now_us,
            deadline=self._clock.monotonic() + self._deadline_s,
        )

    async def _made(
        self, connection: Connection, partner: Partner, taken: Taken, wanted: tuple[str, ...]
    ) -> _Made | str:
        """Record the recognition in a change of the citizen's standing, or say why not."""
        consent = await consent_rows.current(connection, taken.consent, taken.citizen)
        if consent is None or state(consent) != "active":
            return "consent-ended"
        # It keeps its id when it is given anew, for whatever the citizen allowed then.
        if await request_rows.is_taken_back(connection, taken.id):
            return "consent-ended"
        identifier = self._ids.random_uuid()
        if not await request_rows.led_to(connection, taken.id, identifier):
            return "code-replayed"
        await rows.end_former(connection, taken.citizen, partner.code)
        found = await self._opening(connection, partner, taken.citizen, wanted)
        if found is None:
            return "not-open"
        slot = await self._status_lists.allocate_within(connection)
        await rows.add(connection, _row(identifier, partner, consent, found, slot))
        return _Made(identifier, found, slot)

    async def _opening(
        self, connection: Connection, partner: Partner, citizen: UUID, wanted: tuple[str, ...]
    ) -> Vouched | None:
        bodies = await standing_rows.rebuild(connection, [citizen])
        asking = Asking(
            own=self._own,
            partner=partner,
            rule=self._registry[RECOGNITION],
            rent=self._registry[DEPOSITS],
            body=bodies[citizen],
            reserved_fen=await rows.reserved(connection, citizen),
            at_us=await consent_rows.now_us(connection),
        )
        return opening(asking, wanted)


def _row(
    identifier: UUID, partner: Partner, consent: Consent, found: Vouched, slot: Slot
) -> NewRecognition:
    return NewRecognition(
        id=identifier,
        citizen=consent.citizen,
        party=partner.party.row.num,
        city=partner.code,
        consent=consent.id,
        scenarios=found.scenarios,
        scheme=partner.scheme_name.id,
        scheme_version=partner.scheme_name.version,
        tier=found.tier,
        band_floor=found.band_floor,
        reserved_fen=found.reserved_fen,
        status_list=slot.list,
        status_idx=slot.idx,
        until_us=consent.to_us,
    )
