"""The receipt of a commitment, as a file to keep."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter

from gateway.clock import SHANGHAI, from_us
from gateway.commitment_receipt import Evidence, as_json, as_text, made_of
from gateway.edge.access import ACCESS, Access, citizen_of, city_of

#: Versions are PostgreSQL integers.
Version = Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1)]


@get("/v1/me/commitments/{commitment_id:uuid}/receipt", opt={ACCESS: Access.CITIZEN})
async def receipt(
    request: Request[Any, Any, Any],
    commitment_id: FromPath[UUID],
    format: FromQuery[Literal["json", "text"]] = "json",  # noqa: A002  # the parameter's name in the contract
    version: Version = None,
) -> Response[bytes]:
    """The words, the signature, the key and the record that the receipt is the hash of."""
    commitments = city_of(request).commitments
    evidence = await commitments.evidence(citizen_of(request), commitment_id, version)
    made = made_of(evidence, commitments.title(evidence.row.scenario))
    content, media_type, suffix = (
        (as_json(made), "application/json", "json")
        if format == "json"
        else (as_text(made), "text/plain", "txt")
    )
    disposition = f'attachment; filename="{_name(evidence)}.{suffix}"'
    headers = {"content-disposition": disposition, "x-content-type-options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


def _name(evidence: Evidence) -> str:
    """What the file is called: scenario and day of signing in the city, all of it ASCII."""
    day = from_us(evidence.row.signed_us).astimezone(SHANGHAI).date()
    return f"commitment-{evidence.row.scenario}-{day.isoformat()}-v{evidence.row.version}"


HANDLERS: list[HTTPRouteHandler] = [receipt]
