"""Putting compiled scenarios into the live set: an operator's act, before workers answer."""

from __future__ import annotations

from gateway.store import policy as rows
from gateway.store.database import Connection
from scenarios.registry import Registry


async def publish(
    connection: Connection, registry: Registry, city: str, *, keep_old: bool = False
) -> list[str]:
    """Make the registry's revisions live; returns the scenarios whose revision is new.

    Args:
        connection: as the owner.
        city: GB/T 2260 code; named once, and never another one for the same database.
        keep_old: let former revisions answer as well, while workers are being replaced.

    Raises:
        Conflict: the database belongs to another city.
    """
    await rows.claim_realm(connection, city)
    live = await rows.live(connection)
    fresh = []
    async with connection.transaction():
        for name in registry:
            scenario = registry[name]
            if (name, scenario.revision) not in live:
                fresh.append(name)
            manifest = scenario.manifest.canonical().decode("utf-8")
            await rows.publish(connection, name, scenario.revision, manifest)
            if not keep_old:
                await rows.retire_others(connection, name, scenario.revision)
    return fresh
