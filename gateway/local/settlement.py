"""A city gets its people, and its `up.json` says who is who."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.local import upfile
from gateway.local.clerks import engage
from gateway.local.populate import populate
from gateway.local.running import RunningCity


def settle(
    running: RunningCity,
    citizens: int,
    tell: Callable[[str], None] = lambda _: None,
    *,
    staff: bool = True,
) -> upfile.UpFile:
    """People a city whose engines run; what is there already stays.

    Args:
        citizens: how many are generated besides the personas.
        tell: told in a few words what begins.
        staff: whether the parties' counters are manned.
    """
    engines, settings = running.engines, running.settings
    tell(f"seeding people of {running.city.en}")
    population = asyncio.run(populate(engines.owner_url, settings, running.data, citizens))
    clerks = []
    if staff:
        tell(f"engaging the counters' staff of {running.city.en}")
        clerks = asyncio.run(engage(engines.owner_url, settings, running.data))
    return upfile.UpFile(
        base_url=running.base_url,
        identity_url=running.identity_url,
        parties=population.parties,
        desks=population.desks,
        personas=population.personas,
        subjects_file=str(population.subjects_file),
        staff=clerks,
        operator=upfile.UpOperator(
            owner_url=engines.owner_url,
            valkey_url=engines.valkey_url,
            keys_file=str(running.keys_file),
            issuer=running.base_url,
            city=running.city.code,
            city_contact=settings.city_contact,
            trust_list_url=settings.trust_list_url,
            trust_list_keys=settings.trust_list_keys,
        ),
    )
