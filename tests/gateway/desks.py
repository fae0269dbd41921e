"""Desks for tests, opened as the operator opens them."""

from __future__ import annotations

from gateway import desks
from gateway.desks import DeskForm
from tests.gateway.city import MERCHANT, TestCity


async def open_desk(
    town: TestCity,
    number: str,
    *,
    party: str = MERCHANT,
    scenario: str | None = None,
    place: str = "示例柜台",
) -> str:
    """Open a counter, or with a scenario a device; returns its token."""
    form = DeskForm(
        party=party,
        place=place,
        kind="device" if scenario else "counter",
        scenario=scenario,
        number=number,
    )
    await desks.open_desk(town.owner, form, town.city.registry, town.city.ids)
    return town.city.desks.token(number)
