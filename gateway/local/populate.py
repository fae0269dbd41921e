"""A demonstration city's whole population: parties, personas, generated citizens, and who is who.

Whatever is there already stays as it is, so a second run only looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.city import City
from gateway.clock import SystemClock
from gateway.desks import DeskLinks, open_desk
from gateway.ids import SystemIds
from gateway.keys import load_keys
from gateway.local.credentials import PrivateKeys, register
from gateway.local.generator import MERCHANT, SCENARIO, generated
from gateway.local.people import PREFIX
from gateway.local.places import write_private
from gateway.local.seeding import Seeding
from gateway.local.seeds import Persona, Seeds, seeds_of
from gateway.local.upfile import UpDesk, UpParty, UpPersona
from gateway.score_publication import ScorePublication
from gateway.scores import Scores, today
from gateway.settings import Settings
from gateway.store import desk as desk_rows
from gateway.store import score as score_rows
from gateway.store.migrate import Connection, connected
from gateway.tokens import SCOPE_PREFIX
from gateway.working_days import calendar
from scenarios.registry import Registry, load_registry

PARTIES, SUBJECTS = "parties.json", "subjects.txt"


class Population(msgspec.Struct, frozen=True):
    """Who is in the city, in the words of `up.json`."""

    parties: list[UpParty]
    desks: list[UpDesk]
    personas: list[UpPersona]
    subjects_file: Path


async def populate(
    owner_url: str,
    settings: Settings,
    folder: Path,
    citizens: int,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Population:
    """People a migrated city whose scenarios are published.

    Args:
        owner_url: the database as its owner.
        settings: the city's own, whose issuer of identities is synthetic; its code says which
            seeds are its own.
        folder: keeps the parties' private keys and the file of subjects.
        citizens: how many are generated besides the personas.
        on_progress: told how many more people have been seen to.
    """
    seeds, registry = seeds_of(settings.city), load_registry(calendar())
    async with connected(owner_url) as owner:
        keys = await register(owner, seeds.parties, list(registry), folder / PARTIES)
        await _open_desks(owner, seeds, registry)
    async with owned_city(owner_url, settings, registry).running() as city:
        await _first_publication(city)
        seeding = Seeding(city)
        await seeding.stock(seeds.shelves)
        people = chain(seeds.personas, generated(citizens, merchant=MERCHANT in keys))
        known = await seeding.run(people, on_progress)
        file = folder / SUBJECTS
        _write_subjects(file, city, [known[f"{PREFIX}{n}"] for n in range(1, citizens + 1)])
        personas = [_persona(city, one, known.get(one.login), keys) for one in seeds.personas]
        desks = _desks(seeds, city.desks)
        return Population(_parties(seeds, keys), desks, personas, file)


def owned_city(owner_url: str, settings: Settings, registry: Registry) -> City:
    """The city's services on the owner's database, with a command's patience."""
    owned = msgspec.structs.replace(settings, database_url=owner_url, database_timeout_s=10)
    return City(owned, load_keys(settings.keys_file), registry, SystemClock(), SystemIds())


async def _first_publication(city: City) -> None:
    """The run whose day every score of the city is said for; the scores themselves come with the
    citizens' authorisations, as they do for anybody who signs in later."""
    async with city.database.connection() as connection:
        published = await score_rows.latest_run(connection)
    if published is None:
        scores = Scores(city.vault, city.clock)
        publication = ScorePublication(city.database, city.writer, scores, city.clock)
        await publication.run(today(city.clock))


async def _open_desks(owner: Connection, seeds: Seeds, registry: Registry) -> None:
    known = {row.number for row in await desk_rows.everyone(owner)}
    for desk in seeds.desks:
        if desk.number not in known:
            await open_desk(owner, desk, registry, SystemIds())


def _desks(seeds: Seeds, links: DeskLinks) -> list[UpDesk]:
    return [
        UpDesk(
            number=desk.number or "",
            party=desk.party,
            kind=desk.kind,
            place=desk.place,
            scenario=desk.scenario,
            link=links.link(desk.number or "") if desk.scenario else None,
        )
        for desk in seeds.desks
    ]


def _parties(seeds: Seeds, keys: PrivateKeys) -> list[UpParty]:
    return [
        UpParty(
            role=party.kind,
            client_id=party.id,
            jwk=keys[party.id],
            scopes=[SCOPE_PREFIX + scenario for scenario in sorted(party.scenarios)],
        )
        for party in seeds.parties.party
    ]


def _persona(city: City, persona: Persona, known: UUID | None, parties: Iterable[str]) -> UpPersona:
    """A persona with its names at the parties; none where it has no record."""
    subjects = {}
    for party in map(city.parties.get, parties):
        if known is not None and party is not None:
            # A party of these seeds asks for one recipient, so it knows a citizen by one name.
            for registration in party.registrations.values():
                sector = registration.recipient.sector
                subjects[party.row.id] = city.pseudonyms.subject(known, sector)
    return UpPersona(persona.login, msgspec.structs.asdict(persona.story), subjects)


def _write_subjects(file: Path, city: City, citizens: list[UUID]) -> None:
    """One merchant's names for the generated citizens, one a line, in the order of their number.

    Empty in a city without the merchant.
    """
    merchant = city.parties.get(MERCHANT)
    lines = []
    if merchant is not None:
        sector = merchant.registrations[SCENARIO].recipient.sector
        lines = [city.pseudonyms.subject(known, sector) for known in citizens]
    write_private(file, "".join(f"{line}\n" for line in lines))
