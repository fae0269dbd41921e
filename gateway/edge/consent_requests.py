"""Parties: ask for a consent, and see what became of the request."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from gateway.clock import rfc3339
from gateway.consent_requests import Asked
from gateway.edge.access import ACCESS, Access, city_of, principal_of
from gateway.edge.wire import ScenarioId
from gateway.store.consent import RequestState

Purpose = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[a-z][a-z0-9_]*\Z")]
OutNumber = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"\A[A-Za-z0-9._:-]+\Z",
        description="The party's own number of the request; a repeat gets the same request.",
    ),
]


class ConsentAsk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a party asks a citizen to allow; `return_uri` is where the citizen goes afterwards."""

    scenario: ScenarioId
    purpose: Purpose
    out_request_no: OutNumber
    return_uri: Annotated[str, Meta(min_length=8, max_length=512)] | None = None


class ConsentAsked(msgspec.Struct, frozen=True):
    """The request, with the link that shows it to the citizen who opens it."""

    id: UUID
    status: str
    link: str
    expires_at: str


class ConsentRequestState(msgspec.Struct, frozen=True):
    """What became of a request; `subject` only where it was granted, `desk` the number of the
    party's desk or device at which the citizen was asked."""

    id: UUID
    status: str
    expires_at: str
    subject: str | UnsetType = UNSET
    desk: str | UnsetType = UNSET


def status_of(request: RequestState) -> str:
    """`pending`, `granted`, `declined` or `expired`."""
    return "expired" if request.over else request.status


@post("/v1/consent-requests", opt={ACCESS: Access.PARTY})
async def ask(
    request: Request[Any, Any, Any], data: JSONBody[ConsentAsk]
) -> Response[ConsentAsked]:
    """Ask a citizen for a consent; the same number and body give the same request."""
    requests = city_of(request).consent_requests
    asked = Asked(
        scenario=data.scenario,
        purpose=data.purpose,
        out_request_no=data.out_request_no,
        return_uri=data.return_uri,
    )
    held = await requests.ask(principal_of(request), asked)
    answer = ConsentAsked(
        held.id, status_of(held), requests.link(held.id), rfc3339(held.expires_us)
    )
    return Response(answer, headers={"location": f"/v1/consent-requests/{held.id}"})


@get("/v1/consent-requests/{request_id:uuid}", opt={ACCESS: Access.PARTY})
async def state(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> ConsentRequestState:
    """What became of a request of this party."""
    requests = city_of(request).consent_requests
    held, subject = await requests.of_party(principal_of(request), request_id)
    return ConsentRequestState(
        held.id,
        status_of(held),
        rfc3339(held.expires_us),
        subject or UNSET,
        held.desk or UNSET,
    )


HANDLERS: list[HTTPRouteHandler] = [ask, state]
