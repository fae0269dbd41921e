"""Devices: which there are, what each has signed, and what to do when one is lost."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.clock import DAY_US, SHANGHAI, from_us, shanghai_midnight_after
from gateway.devices import DEVICES_MAX
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.errors import NotFound
from gateway.web.render import PAGE, page

PATH: Final = "/app/devices"

#: Stopped devices on the page, the latest first; the API has them all.
STOPPED_SHOWN: Final = 30


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def devices(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page."""
    city, citizen = city_of(request), citizen_of(request)
    rows = await city.devices.of(citizen)
    stopped = sorted(
        (row for row in rows if row.revoked_us is not None),
        key=lambda row: -(row.revoked_us or 0),
    )
    return page(
        request,
        "devices.html",
        live=[row for row in rows if row.revoked_us is None],
        stopped=stopped[:STOPPED_SHOWN],
        left_out=max(0, len(stopped) - STOPPED_SHOWN),
        signed=await city.devices.signed(citizen),
        title=city.commitments.title,
        most=DEVICES_MAX,
        owner=citizen.hex,
    )


@get(
    PATH + "/{device_id:uuid}/stop",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def stop(request: Request[Any, Any, Any], device_id: FromPath[UUID]) -> Response[bytes]:
    """Since when was it in other hands, and what would that void: read before it is done."""
    city, citizen = city_of(request), citizen_of(request)
    rows = await city.devices.of(citizen)
    device = next((row for row in rows if row.id == device_id), None)
    if device is None:
        raise NotFound
    signed = (await city.devices.signed(citizen)).get(device.id, [])
    now_us = city.clock.now_us()
    return page(
        request,
        "device_stop.html",
        device=device,
        standing=[row for row in signed if row.status == "signed"],
        title=city.commitments.title,
        today=from_us(shanghai_midnight_after(now_us) - DAY_US).isoformat(),
        latest=from_us(now_us).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
        owner=citizen.hex,
    )


HANDLERS: list[HTTPRouteHandler] = [devices, stop]
