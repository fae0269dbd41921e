"""People with a name, as their pages greet them."""

from __future__ import annotations

import itertools
from uuid import UUID

from gateway.local.people import person
from gateway.oidc import Told
from tests.gateway.city import TestCity

_numbers = itertools.count(1)


async def enrolled(town: TestCity, *, name: str | None = None, scored: bool = True) -> UUID:
    """A citizen whom the identity provider vouched for; scored without any fact where wanted."""
    who = person(next(_numbers))
    told = Told(
        issuer=town.city.settings.oidc_issuer,
        subject=who.login,
        name=name or who.name,
        id_number=who.id_number,
        birthdate=who.birthdate.isoformat(),
        full_capacity=True,
    )
    citizen = await town.city.citizens.enrol(told)
    if scored:
        notice = town.city.authorisations.notice
        await town.city.authorisations.give(citizen, notice.sha256, (), None)
    return citizen
