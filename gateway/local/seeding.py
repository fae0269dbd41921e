"""Peopling a city: personas and generated citizens, through the code that the API runs.

Facts go through the importer; records, authorisations, consents and promises through the services
that answer citizens' requests, only many in one change of the standings. What a citizen holds is
written in one transaction, so seeding that was cut off is simply repeated, and repeating it when
all is there changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias
from uuid import UUID

from gateway.city import City
from gateway.consent_requests import Asked
from gateway.consents import Terms
from gateway.fact_file import Row
from gateway.fact_import import FactImport, identity_index
from gateway.identity_number import IdentityNumber
from gateway.local.circumstances import circumstances
from gateway.local.seed_device import SeedDevice
from gateway.local.seeds import ConsentSeed, Persona, SeedsMissing
from gateway.oidc import Told
from gateway.parties import Principal
from gateway.scores import scale_on, today
from gateway.store import city_fact as city_fact_rows
from gateway.store import seed as seed_rows
from gateway.store.city_fact import CityFact, Shelf
from gateway.tokens import SCOPE_PREFIX
from gateway.vault import blind_index
from scoring import Rejected

#: Citizens of one transaction.
BATCH = 250

#: What the citizens' devices are called.
DEVICE = "示例设备"

Citizen: TypeAlias = tuple[UUID, Persona]


class Asking(NamedTuple):
    """A party's request that a citizen will decide on."""

    citizen: UUID
    seed: ConsentSeed
    request: UUID


class Seeding:
    """Peoples a city.

    Args:
        city: opened on the owner's database, which alone may load facts.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._key = city.keys.blind_index
        self._today = today(city.clock)
        self._scale = scale_on(self._today)
        self._import = FactImport(city.database, self._scale.catalogue, self._key)

    async def run(
        self, personas: Iterable[Persona], on_progress: Callable[[int], None] = lambda done: None
    ) -> dict[str, UUID]:
        """See that these people are citizens; returns whose login is which citizen."""
        citizens: dict[str, UUID] = {}
        source = iter(personas)
        while batch := list(islice(source, BATCH)):
            known = await self._known(batch)
            new = [persona for persona in batch if persona.login not in known]
            citizens |= known | await self._add(new)
            on_progress(len(batch))
        return citizens

    async def stock(self, shelves: Sequence[Shelf]) -> None:
        """Say what communities have left."""
        async with self._city.database.connection() as connection:
            await city_fact_rows.put_shelves(connection, shelves)

    async def _known(self, batch: Sequence[Persona]) -> dict[str, UUID]:
        """Who is a citizen already."""
        by_index = {self._index(persona): persona.login for persona in batch}
        erased = {_erased_id(self._key, one): one.login for one in batch if one.record == "erased"}
        async with self._city.database.connection() as connection:
            found = await seed_rows.known(connection, list(by_index))
            gone = await seed_rows.existing(connection, list(erased)) if erased else set()
        return {by_index[index]: citizen for index, citizen in found.items()} | {
            erased[citizen]: citizen for citizen in gone
        }

    async def _add(self, personas: list[Persona]) -> dict[str, UUID]:
        """Their facts first, then all that they are and hold in one change."""
        if not personas:
            return {}
        await self._import.run(self._rows(personas), _unexpected)
        people = [(self._new_id(one), one) for one in personas if one.record != "none"]
        if people:
            asked, promised = await self._ask(people), await self._promise(people)
            await self._settle(people, asked, promised)
            await self._follow(asked)
        return {persona.login: citizen for citizen, persona in people}

    async def _ask(self, people: Sequence[Citizen]) -> list[Asking]:
        """The parties' requests for the consents that these people will decide on."""
        return [
            Asking(citizen, seed, await self._request(seed))
            for citizen, persona in people
            for seed in persona.consents
        ]

    async def _promise(self, people: Sequence[Citizen]) -> list[tuple[UUID, SeedDevice, list[str]]]:
        """A device for each who makes promises, and what it signed over the texts shown."""
        promised = []
        for citizen, persona in people:
            if persona.commitments:
                device = SeedDevice()
                drafts = [
                    await self._city.commitments.draft(citizen, scenario, None)
                    for scenario in persona.commitments
                ]
                promised.append((citizen, device, [device.sign(draft) for draft in drafts]))
        return promised

    async def _request(self, seed: ConsentSeed) -> UUID:
        party = self._city.parties.get(seed.party)
        assert party is not None, "parties are registered before people"
        now = self._city.clock.now_us()
        scope = f"{SCOPE_PREFIX}{seed.scenario}"
        principal = Principal(party, "", now, now, frozenset({scope}))
        asked = Asked(
            scenario=seed.scenario,
            purpose=self._city.registry[seed.scenario].manifest.purposes[0],
            out_request_no=f"seed-{self._city.ids.token()}",
        )
        return (await self._city.consent_requests.ask(principal, asked)).id

    async def _settle(
        self,
        people: Sequence[Citizen],
        asked: Sequence[Asking],
        promised: Sequence[tuple[UUID, SeedDevice, list[str]]],
    ) -> None:
        city = self._city
        leave_out = {citizen: one.leave_out for citizen, one in people if one.authorised}
        erased = [citizen for citizen, one in people if one.record == "erased"]
        async with city.writer.change(*(citizen for citizen, _ in people)) as connection:
            await city.citizens.enrol_within(
                connection, {citizen: self._told(persona) for citizen, persona in people}
            )
            await city.authorisations.give_within(connection, leave_out)
            for citizen, seed, request in asked:
                if seed.then != "declined":
                    terms = self._terms(seed)
                    await city.consents.grant_within(connection, citizen, request, terms)
            for citizen, device, signed in promised:
                await city.devices.register_within(connection, citizen, DEVICE, device.jwk)
                for jws in signed:
                    await city.commitments.sign_within(connection, citizen, jws)
            await city_fact_rows.put(connection, self._circumstances(people))
            await seed_rows.erase(connection, erased)

    async def _follow(self, asked: Sequence[Asking]) -> None:
        """What became of some consents afterwards, each an act of its own."""
        consents = self._city.consents
        for citizen, seed, request in asked:
            if seed.then == "declined":
                await consents.decline(citizen, request)
            elif seed.then:
                held = await consents.grant(citizen, request, self._terms(seed))
                act = consents.pause if seed.then == "paused" else consents.withdraw
                await act(citizen, held.id)

    def _terms(self, seed: ConsentSeed) -> Terms:
        text = self._city.registry[seed.scenario].manifest.consent
        return Terms(text_sha256=text.text_sha256.hex(), frequency=seed.frequency or None)

    def _circumstances(self, people: Sequence[Citizen]) -> list[CityFact]:
        now, ids = self._city.clock.now_us(), self._city.ids
        return [
            fact
            for citizen, persona in people
            for fact in circumstances(citizen, persona, now, ids)
        ]

    def _rows(self, personas: Sequence[Persona]) -> Iterator[Row]:
        for persona in personas:
            for cells in persona.fact_rows(self._today, self._scale.catalogue):
                yield Row(0, cells)

    def _told(self, persona: Persona) -> Told:
        who = persona.identity(self._today)
        return Told(
            issuer=self._city.settings.oidc_issuer,
            subject=who.login,
            name=who.name,
            id_number=who.id_number,
            birthdate=who.birthdate.isoformat(),
            full_capacity=who.full_capacity,
        )

    def _index(self, persona: Persona) -> bytes:
        number = persona.identity(self._today).id_number
        return identity_index(self._key, IdentityNumber(number))

    def _new_id(self, persona: Persona) -> UUID:
        if persona.record == "erased":
            return _erased_id(self._key, persona)
        return self._city.ids.random_uuid()


def _erased_id(key: bytes, persona: Persona) -> UUID:
    """The same every time: nothing else leads to a citizen of whom nothing is left."""
    return UUID(bytes=blind_index(key, "seed-erased", persona.login)[:16])


def _unexpected(refused: Rejected) -> None:
    raise SeedsMissing(f"a seeded fact is refused: {refused.field} {refused.reason}")
