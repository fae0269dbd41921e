"""A citizen's devices: registered, listed, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from gateway.clock import rfc3339, to_us
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.store.device import DeviceRow

_PATH = "/v1/me/devices"

_Coordinate = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{43}\Z")]


class PublicJwk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public P-256 key as WebCrypto exports it. A private part is an unknown member."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: _Coordinate
    y: _Coordinate
    alg: Literal["ES256"] | None = None
    use: Literal["sig"] | None = None
    key_ops: tuple[Literal["verify"], ...] | None = None
    ext: bool | None = None


class NewDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to register, under a name that the citizen will know again."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
    jwk: PublicJwk


class Loss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Since when the key may have been in other hands; left out where it was not."""

    compromised_since: Annotated[datetime, Meta(tz=True)] | None = None


class Device(msgspec.Struct, frozen=True):
    """A device as its citizen sees it; `kid` is the key's RFC 7638 thumbprint."""

    id: UUID
    kid: str
    name: str
    registered_at: str
    revoked_at: str | None
    compromised_since: str | None


class DeviceList(msgspec.Struct, frozen=True):
    """Every device ever registered, the oldest first."""

    devices: list[Device]


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def devices(request: Request[Any, Any, Any]) -> DeviceList:
    """My devices."""
    rows = await city_of(request).devices.of(citizen_of(request))
    return DeviceList([_device(row) for row in rows])


@post(_PATH, opt={ACCESS: Access.CITIZEN}, status_code=201)
async def register(request: Request[Any, Any, Any], data: JSONBody[NewDevice]) -> Device:
    """Register the public key of this device."""
    citizen = citizen_of(request)
    jwk = {"kty": data.jwk.kty, "crv": data.jwk.crv, "x": data.jwk.x, "y": data.jwk.y}
    act = await act_of(request, citizen)
    return _device(await city_of(request).devices.register(citizen, data.name, jwk, act))


@post(_PATH + "/{device_id:uuid}/revocation", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def revoke(
    request: Request[Any, Any, Any], device_id: FromPath[UUID], data: JSONBody[Loss]
) -> Device:
    """Stop a device at once; what it signed since `compromised_since` is void."""
    since = data.compromised_since
    since_us = None if since is None else to_us(since)
    return _device(await city_of(request).devices.revoke(citizen_of(request), device_id, since_us))


def _device(row: DeviceRow) -> Device:
    revoked, compromised = row.revoked_us, row.compromised_us
    return Device(
        row.id,
        row.kid,
        row.name,
        rfc3339(row.registered_us),
        None if revoked is None else rfc3339(revoked),
        None if compromised is None else rfc3339(compromised),
    )


HANDLERS: list[HTTPRouteHandler] = [devices, register, revoke]
