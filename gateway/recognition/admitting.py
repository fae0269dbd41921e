"""A city of the region's list becomes a party here: the recipient of what is said of citizens."""

from __future__ import annotations

from gateway.recognition.entry import City
from gateway.recognition.partners import RECOGNITION
from gateway.store import party as rows
from gateway.store.migrate import Connection


async def admit(connection: Connection, city: City) -> str:
    """Make a city's legal entity, party and registration; returns the party's id.

    A party that exists for the city already is kept, under the id that it has, and its entity
    brought up to date. It has no keys of its own: they live in the list and nowhere else.
    """
    entry = city.entry
    async with connection.transaction():
        known = [row for row in await rows.everyone(connection) if row.city == entry.code]
        party = next((row for row in known if row.id == entry.code), known[0] if known else None)
        entity = party.entity if party else f"city-{entry.code}"
        await rows.put_entity(
            connection, entity, name=entry.name.zh, contact=entry.contact, promise=""
        )
        if party is None:
            number = await rows.add(
                connection,
                entry.code,
                entity=entity,
                kind="city",
                name=entry.name.zh,
                city=entry.code,
                community=None,
                webhook_url=None,
                dpop=False,
            )
            await rows.add_scenario(connection, number, RECOGNITION, entity)
            return entry.code
        if RECOGNITION not in party.scenarios:
            await rows.add_scenario(connection, party.num, RECOGNITION, entity)
        return party.id


async def admitted(connection: Connection) -> frozenset[str]:
    """The codes of the cities that are parties here, and so may ask about this city's citizens."""
    return frozenset(
        party.city
        for party in await rows.everyone(connection)
        if party.city is not None and RECOGNITION in party.scenarios
    )
