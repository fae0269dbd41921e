"""A city peopled from its seeds, on the test engines, and the means to play its day in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.city import City
from gateway.consent_requests import Asked
from gateway.consents import Terms
from gateway.local.credentials import PrivateKeys, register
from gateway.local.seed_device import SeedDevice
from gateway.local.seeding import Seeding
from gateway.local.seeds import Persona, Seeds, load_seeds
from gateway.local.steps import Step
from gateway.oidc import Told
from gateway.parties import Principal
from gateway.scores import today
from gateway.store import consent as consent_rows
from gateway.store.migrate import connected
from scenarios.contract import Outcome
from tests.engines import Database
from tests.gateway.city import TestCity, registry

SEEDS = load_seeds()


@asynccontextmanager
async def seeding(town: TestCity, database: Database, folder: Path) -> AsyncIterator[Seeding]:
    """The seeder of a town, on the owner's database; its parties are registered."""
    await parties(database, folder)
    await town.city.parties.refresh(force=True)
    city = town.city
    settings = msgspec.structs.replace(
        city.settings, database_url=database.owner_url, database_timeout_s=10
    )
    async with City(settings, city.keys, registry(), city.clock, city.ids).running() as owned:
        seeder = Seeding(owned)
        await seeder.stock(SEEDS.shelves)
        yield seeder


async def parties(database: Database, folder: Path) -> PrivateKeys:
    """The town's parties, registered with keys of this folder."""
    async with connected(database.owner_url) as owner:
        return await register(owner, SEEDS.parties, list(registry()), folder / "parties.json")


class Day:
    """Plays steps of a day through the services that answer requests."""

    def __init__(self, town: TestCity, seeds: Seeds, citizens: dict[str, UUID]) -> None:
        self.town, self.city = town, town.city
        self.citizens = citizens
        self._personas = {persona.login: persona for persona in seeds.personas}
        self._seeds = seeds

    async def play(self) -> list[tuple[Step, str]]:
        """Every step; the questions with their outcomes."""
        answers = []
        for step in self._seeds.day:
            if step.act == "ask":
                answers.append((step, await self._ask(step)))
            else:
                await self._act(step, await self._citizen(self._personas[step.persona]))
        return answers

    def principal(self, party: str) -> Principal:
        """A party as its token would prove it."""
        return self.town.principal(party)

    async def example(self, party: str, scenario: str, citizen: UUID) -> Outcome:
        """The outcome for the scenario's own example."""
        answer = await self.town.ask(citizen, self.principal(party), scenario=scenario)
        return answer.outcome

    async def _ask(self, step: Step) -> str:
        citizen = await self._citizen(self._personas[step.persona])
        facts = step.facts_at(self.city.clock.now_us())
        shelf = (facts["community"], facts["item"]) if facts and "item" in facts else None
        answer = await self.town.ask(
            citizen, self.principal(step.party), scenario=step.scenario, facts=facts, stock=shelf
        )
        return answer.outcome.wire

    async def _citizen(self, persona: Persona) -> UUID:
        """Whoever it is; one who was not seeded signs in now."""
        if persona.login not in self.citizens:
            who = persona.identity(today(self.city.clock))
            told = Told(
                issuer=self.city.settings.oidc_issuer,
                subject=who.login,
                name=who.name,
                id_number=who.id_number,
                birthdate=who.birthdate.isoformat(),
                full_capacity=who.full_capacity,
            )
            self.citizens[persona.login] = await self.city.citizens.enrol(told)
        return self.citizens[persona.login]

    async def _act(self, step: Step, citizen: UUID) -> None:
        consents = self.city.consents
        match step.act:
            case "authorise":
                notice = self.city.authorisations.notice
                await self.city.authorisations.give(citizen, notice.sha256, (), None)
            case "sign":
                await self._sign(citizen, step.scenario)
            case "consent":
                text = registry()[step.scenario].manifest.consent.text_sha256.hex()
                await consents.grant(citizen, await self._request(step), Terms(text_sha256=text))
            case "decline":
                await consents.decline(citizen, await self._request(step))
            case "withdraw":
                await consents.withdraw(citizen, await self._consent(step, citizen))
            case "pause":
                await consents.pause(citizen, await self._consent(step, citizen))
            case "resume":
                await consents.resume(citizen, await self._consent(step, citizen))
            case _:
                raise AssertionError(step.act)

    async def _sign(self, citizen: UUID, scenario: str) -> None:
        device = SeedDevice()
        await self.city.devices.register(citizen, "phone", device.jwk, None)
        draft = await self.city.commitments.draft(citizen, scenario, None)
        await self.city.commitments.sign(citizen, device.sign(draft), None)

    async def _request(self, step: Step) -> UUID:
        asked = Asked(
            scenario=step.scenario,
            purpose=registry()[step.scenario].manifest.purposes[0],
            out_request_no=self.city.ids.token(),
        )
        return (await self.city.consent_requests.ask(self.principal(step.party), asked)).id

    async def _consent(self, step: Step, citizen: UUID) -> UUID:
        registration = self.principal(step.party).party.registrations[step.scenario]
        async with self.city.database.connection() as connection:
            held = await consent_rows.newest(
                connection, citizen, registration.recipient.entity, step.scenario
            )
        assert held is not None
        return held.id


def logins(personas: Iterable[Persona], *records: str) -> set[str]:
    """The logins of personas with these kinds of record."""
    return {persona.login for persona in personas if persona.record in records}
