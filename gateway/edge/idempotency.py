"""The `Idempotency-Key` of a request, for the handlers of writes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request

from gateway.errors import Malformed
from gateway.idempotency import (
    Act,
    act,
    citizen_key,
    clerk_key,
    keyed_act,
    parse_key,
    party_key,
)
from gateway.parties import Principal

HEADER = "idempotency-key"


async def act_of(
    request: Request[Any, Any, Any], caller: Principal | UUID, *, required: bool = True
) -> Act | None:
    """The act that the caller's key names; None where there is none and none is required.

    Raises:
        Malformed: the field is missing where it is required, or is not a quoted string.
    """
    field = request.headers.get(HEADER)
    if field is None:
        if required:
            raise Malformed([("", "this write needs an Idempotency-Key header field")])
        return None
    principal = citizen_key(caller) if isinstance(caller, UUID) else party_key(caller.party.row.num)
    return act(
        principal, parse_key(field), request.method, request.scope["path"], await request.body()
    )


async def keyed_act_of(request: Request[Any, Any, Any], staff: UUID, secret: bytes) -> Act:
    """The act of a member of staff whose request holds somebody's identity number.

    Raises:
        Malformed: as `act_of`.
    """
    field = request.headers.get(HEADER)
    if field is None:
        raise Malformed([("", "this write needs an Idempotency-Key header field")])
    path, body = request.scope["path"], await request.body()
    return keyed_act(secret, clerk_key(staff), parse_key(field), request.method, path, body)
