"""The demonstration cities as data: parties, people with a story, a day with its expectations.

One function finds the files, in a checkout (`seeds/` beside the packages) and in an installed
wheel (inside this package), so nothing else knows where they are.
"""

from __future__ import annotations

from datetime import date, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

import gateway
from gateway.desks import DeskForm
from gateway.errors import GatewayError
from gateway.local.atlas import demo_city
from gateway.local.people import Identity, synthetic_number
from gateway.local.steps import Step, StepFile
from gateway.onboarding import PartyFile, read_parties
from gateway.store.city_fact import Shelf
from scoring import Catalogue


class SeedsMissing(GatewayError):
    """The seeds of a city are not installed, or contradict themselves."""


class _Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a seed file: a misspelt field is an error."""


class _Row(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A short list of a seed file, by position."""


class Story(_Closed, frozen=True):
    """What a persona or a city's file tells people."""

    zh: str
    en: str


class FactSeed(_Row, frozen=True):
    """A scoring fact on file for so many days; a negative one was determined then."""

    department: str
    code: str
    value: int | str
    days_ago: int = 100


def fact_row(
    number: str, fact: FactSeed, source: str, today: date, catalogue: Catalogue
) -> dict[str, object]:
    """A fact about the person of an identity number as a row of an import."""
    day = (today - timedelta(days=fact.days_ago)).isoformat()
    entry = catalogue.entries.get((fact.department, fact.code))
    row: dict[str, object] = {
        "id_number": number,
        "department": fact.department,
        "code": fact.code,
        "value": fact.value,
        "effective": day,
        "source": source,
    }
    return {**row, "determined": day} if entry is not None and entry.negative else row


class ConsentSeed(_Row, frozen=True):
    """A consent asked for by a party, and what became of it. A frequency of 0 is no limit."""

    party: str
    scenario: str
    frequency: int = 0
    then: Literal["", "paused", "withdrawn", "declined"] = ""


class PointsSeed(_Row, frozen=True):
    """Points of a community that expire in so many days; negative ones were spent."""

    community: str
    points: int
    expires_in_days: int


class LoanSeed(_Row, frozen=True):
    """Library items out; due on a day that has passed where negative."""

    entity: str
    items: int
    due_in_days: int


class CardSeed(_Row, frozen=True):
    """A card reference of a library that rides on the persona."""

    entity: str
    card: str


class WaiverSeed(_Row, frozen=True):
    """A deposit waived some days ago, and after how many it was settled; 0 = not yet."""

    entity: str
    deposit_fen: int
    days_ago: int = 30
    settled_after_days: int = 0


class Persona(_Closed, frozen=True):
    """A person who does not exist, and all that is on file about them."""

    login: str
    name: str
    number: int
    story: Story
    born: date | None = None
    born_years_ago: int | None = None
    full_capacity: bool = True
    record: Literal["kept", "none", "erased"] = "kept"
    """Whether seeding makes a citizen of them: `none` signs in later, or is turned away."""
    band: int = 0
    authorised: bool = True
    leave_out: tuple[str, ...] = ()
    facts: tuple[FactSeed, ...] = ()
    consents: tuple[ConsentSeed, ...] = ()
    commitments: tuple[str, ...] = ()
    waivers: tuple[WaiverSeed, ...] = ()
    advances: tuple[int, ...] = ()
    loans: tuple[LoanSeed, ...] = ()
    cards: tuple[CardSeed, ...] = ()
    points: tuple[PointsSeed, ...] = ()
    stays: tuple[str, ...] = ()
    suspensions: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()

    def identity(self, today: date) -> Identity:
        """What the identity provider says of them."""
        born = self.born or date(today.year - (self.born_years_ago or 0), 1, 1)
        return Identity(
            login=self.login,
            name=self.name,
            id_number=synthetic_number(self.number, born),
            birthdate=born,
            full_capacity=self.full_capacity,
        )

    def fact_rows(self, today: date, catalogue: Catalogue) -> list[dict[str, object]]:
        """Their scoring facts as rows of an import."""
        number = self.identity(today).id_number
        return [
            fact_row(number, fact, f"示例-{self.login}-{position}", today, catalogue)
            for position, fact in enumerate(self.facts, 1)
        ]


class PersonaFile(_Closed, frozen=True):
    """`personas.toml`."""

    persona: tuple[Persona, ...]
    shelf: tuple[Shelf, ...] = ()


class DeskFile(_Closed, frozen=True):
    """`desks.toml`."""

    desk: tuple[DeskForm, ...]


class Seeds(msgspec.Struct, frozen=True):
    """Everything that one city's demonstration needs."""

    parties: PartyFile
    desks: tuple[DeskForm, ...]
    personas: tuple[Persona, ...]
    shelves: tuple[Shelf, ...]
    day: tuple[Step, ...]

    def identities(self, today: date) -> list[Identity]:
        """Who can sign in besides the generated people: for the identity provider."""
        return [persona.identity(today) for persona in self.personas]


def load_seeds(city: str = "hangzhou") -> Seeds:
    """The seeds of a city, by the name of their folder.

    Raises:
        SeedsMissing: they are not installed, or a file contradicts itself or another.
    """
    folder = seeds_folder() / city
    if not folder.is_dir():
        raise SeedsMissing(f"no seeds for {city}")
    people = _read(folder / "personas.toml", PersonaFile)
    # Only a city that plays a day has one.
    day = folder / "day.toml"
    steps = _read(day, StepFile).step if day.is_file() else ()
    parties = read_parties((folder / "parties.toml").read_bytes())
    desks = _read(folder / "desks.toml", DeskFile)
    seeds = Seeds(parties, desks.desk, people.persona, people.shelf, steps)
    _check(seeds)
    return seeds


def seeds_of(code: str) -> Seeds:
    """The seeds of the city of a code (GB/T 2260); a city that has none begins with nobody.

    Raises:
        NoSuchCity: it is not a code.
        SeedsMissing: a file contradicts itself or another.
    """
    city = demo_city(code)
    if (seeds_folder() / city.slug).is_dir():
        return load_seeds(city.slug)
    return Seeds(PartyFile(), (), (), (), ())


def between_cities() -> tuple[Step, ...]:
    """What is played between the demonstration's cities, after the day.

    Raises:
        SeedsMissing: the file contradicts itself or the cities' own.
    """
    steps = _read(seeds_folder() / "recognition.toml", StepFile).step
    cities = {step.city for step in steps} | {step.home for step in steps if step.home}
    seeds = {code: seeds_of(code) for code in cities}
    logins = {code: {one.login for one in each.personas} for code, each in seeds.items()}
    asked = {
        code: {(party.id, name) for party in each.parties.party for name in party.scenarios}
        for code, each in seeds.items()
    }
    for step in steps:
        known = not step.home or step.persona in logins[step.home]
        asks = not step.party or (step.party, step.scenario) in asked[step.city]
        if not (known and asks and step.is_whole):
            raise SeedsMissing(f"recognition.toml: the step at {step.at} is odd")
    return steps


def published_schemes() -> list[tuple[str, bytes]]:
    """The recognition schemes of the demonstration: file names and texts, by name, so that of
    each scheme the older version comes first."""
    folder = seeds_folder() / "schemes"
    files = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else []
    return [(file.name, file.read_bytes()) for file in files if file.name.endswith(".toml")]


def seeds_folder() -> Traversable:
    """Where the seeds are: in an installed wheel inside this package, in a checkout beside it."""
    packaged = files("gateway.local") / "seeds"
    if packaged.is_dir():
        return packaged
    beside = Path(gateway.__file__).parent.parent / "seeds"
    if not beside.is_dir():
        raise SeedsMissing(f"no seeds at {packaged} nor at {beside}")
    return beside


_File = TypeVar("_File", PersonaFile, StepFile, DeskFile)


def _read(path: Traversable, kind: type[_File]) -> _File:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError) as fault:  # of TOML, of UTF-8 or of the form
        raise SeedsMissing(f"{path.name}: {fault}") from None


def _check(seeds: Seeds) -> None:
    """Every name that a file uses is one that another file explains."""
    parties = {party.id: party for party in seeds.parties.party}
    logins = {persona.login for persona in seeds.personas}
    numbers = {persona.number for persona in seeds.personas}
    if len(logins) != len(seeds.personas) or len(numbers) != len(seeds.personas):
        raise SeedsMissing("personas.toml: a login or a number is used twice")
    asked = [
        (consent.party, consent.scenario) for one in seeds.personas for consent in one.consents
    ]
    asked += [(step.party, step.scenario) for step in seeds.day if step.party]
    asked += [(desk.party, desk.scenario) for desk in seeds.desks if desk.scenario]
    for party, scenario in asked:
        if party not in parties or scenario not in parties[party].scenarios:
            raise SeedsMissing(f"{party} does not ask about {scenario!r}")
    _check_desks(seeds)
    for one in seeds.personas:
        if any(waiver.settled_after_days > waiver.days_ago for waiver in one.waivers):
            raise SeedsMissing(f"a waiver of {one.login} is settled on a day that lies ahead")
    for step in seeds.day:
        if step.persona not in logins or not step.is_whole or step.city or step.home:
            raise SeedsMissing(f"day.toml: the step at {step.at} about {step.persona!r} is odd")


def _check_desks(seeds: Seeds) -> None:
    """Every desk is a known party's and has a number of its own, the same at every seeding."""
    parties = {party.id for party in seeds.parties.party}
    numbers = {desk.number for desk in seeds.desks}
    if None in numbers or len(numbers) != len(seeds.desks):
        raise SeedsMissing("desks.toml: a desk has no number, or a number is used twice")
    if odd := {desk.party for desk in seeds.desks} - parties:
        raise SeedsMissing(f"desks.toml: no such party: {', '.join(sorted(odd))}")
