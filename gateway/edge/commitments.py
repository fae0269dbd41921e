"""A citizen's commitments: shown, signed, listed, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from gateway.clock import SECOND_US, rfc3339
from gateway.commitment_receipt import receipt
from gateway.commitments import Commitments, Draft
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.edge.wire import ScenarioId
from gateway.jose import MAX_TOKEN_CHARS
from gateway.keys import b64url
from gateway.store.commitment import CommitmentRow
from scenarios.manifest import Text

_PATH = "/v1/me/commitments"


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which scenario, and towards which party (its client id) if any."""

    scenario: ScenarioId
    party: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{3,64}\Z")] | None = None


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A compact JWS over the claims of a draft."""

    jws: Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARS)]


class DraftView(msgspec.Struct, frozen=True):
    """The words to read, and the claims to sign as they stand here (`party` only where named)."""

    text: Text
    template: str
    template_version: str
    text_sha256: str
    scenario: str
    party: str | None
    subject: str
    nonce: str
    iat: int
    exp: int
    expires: str


class Assisted(msgspec.Struct, frozen=True):
    """The member of staff who recorded it, where, and the number of the printed receipt."""

    staff: str
    place: str
    receipt_no: str


class CommitmentView(msgspec.Struct, frozen=True):
    """A commitment as its citizen sees it; `receipt` is the hash of the record.

    `text` is the one that was signed, whatever the scenario says today. Where staff recorded it at
    a counter, no device signed: `device` and `jws` are None and `assisted` says who did.
    """

    id: UUID
    version: int
    status: str
    scenario: str
    towards: str | None
    template: str
    template_version: str
    text_sha256: str
    text: Text | None
    device: UUID | None
    signed_at: str
    at: str
    jws: str | None
    receipt: str
    assisted: Assisted | None


class CommitmentList(msgspec.Struct, frozen=True):
    """The newest version of each."""

    commitments: list[CommitmentView]


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def commitments(request: Request[Any, Any, Any]) -> CommitmentList:
    """My commitments."""
    city = city_of(request)
    rows = await city.commitments.of(citizen_of(request))
    return CommitmentList(await _views(city.commitments, rows))


@post(_PATH + "/drafts", opt={ACCESS: Access.CITIZEN}, status_code=201)
async def draft(request: Request[Any, Any, Any], data: JSONBody[Wish]) -> DraftView:
    """Show me the text, to sign within ten minutes or not at all."""
    made = await city_of(request).commitments.draft(citizen_of(request), data.scenario, data.party)
    return _draft(made)


@post(_PATH, opt={ACCESS: Access.CITIZEN}, status_code=201)
async def sign(request: Request[Any, Any, Any], data: JSONBody[Signed]) -> CommitmentView:
    """Here is my signature."""
    city, citizen = city_of(request), citizen_of(request)
    act = await act_of(request, citizen)
    row = await city.commitments.sign(citizen, data.jws, act)
    return (await _views(city.commitments, [row]))[0]


@post(_PATH + "/{commitment_id:uuid}/withdrawal", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def withdraw(
    request: Request[Any, Any, Any], commitment_id: FromPath[UUID]
) -> CommitmentView:
    """I take it back."""
    city = city_of(request)
    row = await city.commitments.withdraw(citizen_of(request), commitment_id)
    return (await _views(city.commitments, [row]))[0]


def _draft(made: Draft) -> DraftView:
    text = made.text
    return DraftView(
        Text(zh=text.zh, en=text.en),
        text.template,
        text.version,
        text.text_sha256.hex(),
        made.scenario,
        made.party,
        made.subject,
        made.nonce,
        made.iat,
        made.exp,
        rfc3339(made.exp * SECOND_US),
    )


async def _views(known: Commitments, rows: Sequence[CommitmentRow]) -> list[CommitmentView]:
    texts = await known.texts(rows)
    return [_commitment(row, texts[row.id]) for row in rows]


def _commitment(row: CommitmentRow, text: Text | None) -> CommitmentView:
    return CommitmentView(
        row.id,
        row.version,
        row.status,
        row.scenario,
        row.entity_name,
        row.template,
        row.template_version,
        row.text_sha256.hex(),
        text,
        row.device,
        rfc3339(row.signed_us),
        rfc3339(row.at_us),
        row.jws,
        b64url(receipt(row)),
        _assisted(row),
    )


def _assisted(row: CommitmentRow) -> Assisted | None:
    if row.staff is None or row.place is None or row.receipt_no is None:
        return None
    return Assisted(row.staff, row.place, row.receipt_no)


HANDLERS: list[HTTPRouteHandler] = [commitments, draft, sign, withdraw]
