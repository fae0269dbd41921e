"""Staff of parties serve people without a phone: read aloud, record, find again, take back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from gateway.assisted.attendant import Attendant, Document
from gateway.assisted.finding import Shown
from gateway.assisted.receipt import Receipt
from gateway.assisted.recording import Said, Visit, Words
from gateway.assisted.texts import Texts
from gateway.assisted.withdrawal import TakingBack
from gateway.consent_notice import Notice
from gateway.consent_notice import Words as Both
from gateway.edge.access import ACCESS, Access, city_of, clerk_of
from gateway.edge.idempotency import keyed_act_of
from gateway.edge.wire import ScenarioId, Sha256
from gateway.idempotency import Act
from scoring import Merit

_PATH = "/v1/counter/assisted"

Kind = Literal["resident_identity_card", "temporary_identity_card", "social_security_card"]
Number = Annotated[str, Meta(min_length=1, max_length=18, description="The identity number.")]
Purpose = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z")]


class ShownDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document that a returning person shows."""

    kind: Kind
    id_number: Number


class CheckedDocument(ShownDocument, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document that staff checked, and what they attest of the person before them."""

    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
    birthdate: Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
    full_capacity: bool


class ReadAloud(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hash of each text as it was read; none where the scenario has no such text."""

    consent: Sha256
    score: Sha256 | None = None
    commitment: Sha256 | None = None


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the person said to each text. A no is recorded nowhere."""

    consent: bool
    score: bool = False
    commitment: bool = False


class AssistedVisit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was read to whom, and what was said."""

    scenario: ScenarioId
    purpose: Purpose
    document: CheckedDocument
    read: ReadAloud
    said: Answers
    leave_out: Annotated[tuple[Merit, ...], Meta(max_length=3)] = ()


class AssistedSearch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A returning person's document, and what the desk would ask about."""

    scenario: ScenarioId
    document: ShownDocument


class AssistedWithdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person takes back."""

    scenario: ScenarioId
    what: Literal["score", "consent", "commitment"]
    document: ShownDocument


class ReadingView(msgspec.Struct, frozen=True, kw_only=True):
    """All that is read aloud: who asks and for what, then each text with its hash."""

    scenario: str
    title: Both
    notice: Notice
    texts: Texts


class RecordedView(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed to, and the receipt to print; null where everything was refused.

    `person` goes into the counter's question; null where there is no consent to ask under.
    """

    agreed: tuple[str, ...]
    receipt: Receipt | None
    person: str | None


class FoundView(msgspec.Struct, frozen=True):
    """A person who was found, for a question of this visit."""

    person: str


@get(_PATH + "/reading", opt={ACCESS: Access.STAFF})
async def reading(
    request: Request[Any, Any, Any],
    scenario: Annotated[str, QueryParameter(min_length=2, max_length=40)],
    purpose: Annotated[str, QueryParameter(min_length=1, max_length=40)],
) -> ReadingView:
    """What is to be read aloud, word for word."""
    attendant = attendant_of(request)
    read = await city_of(request).assisted.texts.reading(attendant.party, scenario, purpose)
    return ReadingView(
        scenario=read.scenario, title=read.title, notice=read.notice, texts=read.texts
    )


@post(_PATH + "/records", opt={ACCESS: Access.STAFF}, status_code=200)
async def record(request: Request[Any, Any, Any], data: JSONBody[AssistedVisit]) -> RecordedView:
    """Record what a person said to each text."""
    told = data.document
    visit = Visit(
        scenario=data.scenario,
        purpose=data.purpose,
        document=Document(
            kind=told.kind,
            name=told.name,
            id_number=told.id_number,
            birthdate=told.birthdate,
            full_capacity=told.full_capacity,
        ),
        read=Words(**msgspec.structs.asdict(data.read)),
        said=Said(**msgspec.structs.asdict(data.said)),
        leave_out=tuple(merit.value for merit in data.leave_out),
    )
    attendant, act = attendant_of(request), await _act(request)
    recorded, found = await city_of(request).assisted.recording.record(attendant, visit, act)
    return RecordedView(
        agreed=recorded.agreed,
        receipt=recorded.receipt,
        person=found.person if found else None,
    )


@post(_PATH + "/finds", opt={ACCESS: Access.STAFF}, status_code=200)
async def find(request: Request[Any, Any, Any], data: JSONBody[AssistedSearch]) -> FoundView:
    """Find a returning person, where a consent stands and nowhere else."""
    attendant, finding = attendant_of(request), city_of(request).assisted.finding
    found = await finding.find(attendant, data.scenario, _shown(data.document))
    return FoundView(found.person)


@post(_PATH + "/withdrawals", opt={ACCESS: Access.STAFF}, status_code=200)
async def withdraw(request: Request[Any, Any, Any], data: JSONBody[AssistedWithdrawal]) -> Receipt:
    """Take back what was said, with effect at once."""
    wish = TakingBack(scenario=data.scenario, what=data.what, document=_shown(data.document))
    attendant, act = attendant_of(request), await _act(request)
    return await city_of(request).assisted.withdrawal.withdraw(attendant, wish, act)


def attendant_of(request: Request[Any, Any, Any]) -> Attendant:
    """Who serves: the signed-in member of staff, at the desk of the session."""
    clerk = clerk_of(request)
    party = clerk.party.row
    return Attendant(clerk.id, clerk.name, party.id, clerk.place or party.name, clerk.session)


async def _act(request: Request[Any, Any, Any]) -> Act:
    secret = city_of(request).keys.blind_index
    return await keyed_act_of(request, clerk_of(request).id, secret)


def _shown(document: ShownDocument) -> Shown:
    return Shown(document.kind, document.id_number)


HANDLERS: list[HTTPRouteHandler] = [reading, record, find, withdraw]
