"""A citizen's devices: registered, listed, named, revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from gateway.city import City
from gateway.clock import rfc3339, to_us
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.idempotency import act_of
from gateway.errors import Malformed
from gateway.store.commitment import CommitmentRow
from gateway.store.device import DeviceRow
from scenarios.manifest import Text

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


DeviceName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]


class NewDevice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device to register, under a name that the citizen will know again."""

    name: DeviceName
    jwk: PublicJwk


class NewName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name for a device."""

    name: DeviceName


class Loss(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Since when the key may have been in other hands; left out where it was not."""

    compromised_since: Annotated[datetime, Meta(tz=True)] | None = None


class SignedHere(msgspec.Struct, frozen=True):
    """A commitment that a device signed, in its newest version."""

    id: UUID
    scenario: str
    title: Text
    towards: str | None
    status: str
    signed_at: str


class Device(msgspec.Struct, frozen=True):
    """A device as its citizen sees it; `kid` is the key's RFC 7638 thumbprint."""

    id: UUID
    kid: str
    name: str
    registered_at: str
    revoked_at: str | None
    compromised_since: str | None
    signed: list[SignedHere]


class Consequence(msgspec.Struct, frozen=True):
    """What a revocation in these words would void, now; it has not been said yet."""

    device: UUID
    compromised_since: str | None
    void: list[SignedHere]


class DeviceList(msgspec.Struct, frozen=True):
    """Every device ever registered, the oldest first."""

    devices: list[Device]


Since = Annotated[str | None, QueryParameter(max_length=40)]


@get(_PATH, opt={ACCESS: Access.CITIZEN})
async def devices(request: Request[Any, Any, Any]) -> DeviceList:
    """My devices, and what each has signed."""
    city, citizen = city_of(request), citizen_of(request)
    rows = await city.devices.of(citizen)
    signed = await city.devices.signed(citizen)
    return DeviceList([_device(city, row, signed) for row in rows])


@post(_PATH, opt={ACCESS: Access.CITIZEN}, status_code=201)
async def register(request: Request[Any, Any, Any], data: JSONBody[NewDevice]) -> Device:
    """Register the public key of this device."""
    city, citizen = city_of(request), citizen_of(request)
    jwk = {"kty": data.jwk.kty, "crv": data.jwk.crv, "x": data.jwk.x, "y": data.jwk.y}
    act = await act_of(request, citizen)
    row = await city.devices.register(citizen, data.name, jwk, act)
    return _device(city, row, await city.devices.signed(citizen))


@post(_PATH + "/{device_id:uuid}/name", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def rename(
    request: Request[Any, Any, Any], device_id: FromPath[UUID], data: JSONBody[NewName]
) -> Device:
    """Call a device something that I will know again."""
    city, citizen = city_of(request), citizen_of(request)
    row = await city.devices.rename(citizen, device_id, data.name)
    return _device(city, row, await city.devices.signed(citizen))


@get(_PATH + "/{device_id:uuid}/revocation", opt={ACCESS: Access.CITIZEN})
async def consequence(
    request: Request[Any, Any, Any], device_id: FromPath[UUID], compromised_since: Since = None
) -> Consequence:
    """What would be void if I stopped a device in these words. Nothing is stopped by asking."""
    city = city_of(request)
    since_us = None if compromised_since is None else _instant(compromised_since)
    void = await city.devices.would_void(citizen_of(request), device_id, since_us)
    since = None if since_us is None else rfc3339(since_us)
    return Consequence(device_id, since, [_signed(city, row) for row in void])


@post(_PATH + "/{device_id:uuid}/revocation", opt={ACCESS: Access.CITIZEN}, status_code=200)
async def revoke(
    request: Request[Any, Any, Any], device_id: FromPath[UUID], data: JSONBody[Loss]
) -> Device:
    """Stop a device at once; what it signed since `compromised_since` is void."""
    city, citizen = city_of(request), citizen_of(request)
    since = data.compromised_since
    since_us = None if since is None else to_us(since)
    row = await city.devices.revoke(citizen, device_id, since_us)
    return _device(city, row, await city.devices.signed(citizen))


def _instant(text: str) -> int:
    """An instant with its offset (RFC 3339), as a body would give it."""
    try:
        return to_us(msgspec.convert(text, Annotated[datetime, Meta(tz=True)]))
    except msgspec.ValidationError:
        fault = ("/compromised_since", "not an instant with its offset (RFC 3339)")
        raise Malformed([fault]) from None


def _device(city: City, row: DeviceRow, signed: Mapping[UUID, list[CommitmentRow]]) -> Device:
    revoked, compromised = row.revoked_us, row.compromised_us
    return Device(
        row.id,
        row.kid,
        row.name,
        rfc3339(row.registered_us),
        None if revoked is None else rfc3339(revoked),
        None if compromised is None else rfc3339(compromised),
        [_signed(city, commitment) for commitment in signed.get(row.id, [])],
    )


def _signed(city: City, row: CommitmentRow) -> SignedHere:
    title = city.commitments.title(row.scenario)
    return SignedHere(
        row.id, row.scenario, title, row.entity_name, row.status, rfc3339(row.signed_us)
    )


HANDLERS: list[HTTPRouteHandler] = [devices, register, rename, consequence, revoke]
