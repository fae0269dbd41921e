"""The two cities and the region as tests see them."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import msgspec

from gateway.clock import SECOND_US, SystemClock
from gateway.keys import Keyring, load_keys
from gateway.local import alliance
from gateway.local.atlas import HANGZHOU, NINGBO, DemoCity, demo_city
from gateway.local.child import Child
from gateway.local.generator import citizen
from gateway.local.populate import owned_city
from gateway.local.region import LocalRegion
from gateway.local.seeding import Seeding
from gateway.local.seeds import ConsentSeed, Persona
from gateway.local.upfile import UpFile
from gateway.settings import Settings, read_settings
from tests.gateway.city import registry
from tests.outside import Outside
from tests.pair import knowing

ROOT: Final = Path(__file__).parents[2]
CITIES: Final = (HANGZHOU, NINGBO)
#: Where the process of the two cities says that they answer.
FILE: Final = "pair.json"
#: People of these numbers and above are made by tests.
FIRST_PERSON: Final = 5_001

T = TypeVar("T")


class Told(msgspec.Struct):
    """What the process of the two cities says of itself when they answer: a JSON file."""

    settings: dict[str, dict[str, str]]
    up: dict[str, UpFile]


class Side(Outside):
    """One of the two cities."""

    def __init__(self, city: DemoCity, folder: Path, told: Told) -> None:
        super().__init__(told.up[city.code])
        self.city, self.code, self.data = city, city.code, folder / city.slug
        self.settings = read_settings(told.settings[city.code])
        assert self.up.operator is not None
        self.owner_url = self.up.operator.owner_url
        self._numbers = itertools.count(FIRST_PERSON)

    @property
    def keys(self) -> Keyring:
        """The city's secret keys."""
        return load_keys(self.settings.keys_file)

    def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of its database, as the owner."""
        return aside(_rows(self.owner_url, query, arguments))

    def person(
        self,
        band: int = 4,
        *,
        consents: tuple[tuple[str, str], ...] = (),
        commitments: tuple[str, ...] = (),
    ) -> str:
        """The login of a new citizen with a score of that band, 1 to 5.

        `consents` are (party, scenario); `commitments` the scenarios that they promised for.
        """
        (login,) = self.people(1, band, consents=consents, commitments=commitments)
        return login

    def people(
        self,
        count: int,
        band: int = 4,
        *,
        consents: tuple[tuple[str, str], ...] = (),
        commitments: tuple[str, ...] = (),
    ) -> list[str]:
        """The same for so many citizens at once."""
        wanted = (n for n in self._numbers if citizen(n, merchant=False).band == band)
        made = [
            msgspec.structs.replace(
                citizen(number, merchant=False),
                consents=tuple(ConsentSeed(*each) for each in consents),
                commitments=commitments,
            )
            for number in itertools.islice(wanted, count)
        ]
        aside(_seed(self.owner_url, self.settings, made))
        return [person.login for person in made]


class RegionSide:
    """The region, whose list a test may change for a while."""

    def __init__(self, folder: Path, sides: tuple[Side, ...]) -> None:
        self._sides = sides
        self._issuers = {side.code: side.base_url for side in sides}
        self.region = LocalRegion(folder / "region", SystemClock())
        self._folder = folder
        self.url = self.region.url
        self._said_s = 0

    def expel(self, code: str) -> bytes:
        """Take a city off the list; returns its entry."""
        raw = (self.region.folder / "cities" / f"{code}.json").read_bytes()
        self.region.expel(code)
        return raw

    @contextmanager
    def without(self, code: str) -> Iterator[None]:
        """The city is off the list."""
        entry = self.expel(code)
        try:
            yield
        finally:
            self.region.admit(entry)
            self._known()

    def say(self, code: str, act: alliance.Act) -> None:
        """Both operators of the city say so of the agreement, later than all that was said here."""
        city = demo_city(code)
        self._said_s = max(SystemClock().now_us() // SECOND_US, self._said_s + 1)
        claims = alliance.statement(self.region.file.id, act, *CITIES)
        data = self._folder / city.slug
        for compact in alliance.said(data, self._issuers[code], claims, self._said_s):
            self.region.accept(compact)

    @contextmanager
    def suspended(self, code: str) -> Iterator[None]:
        """The city's operators have suspended the agreement; afterwards they resume it."""
        self.say(code, "suspend")
        try:
            yield
        finally:
            self.say(code, "resume")
            self._known()

    def _known(self) -> None:
        """Every worker of every city knows that all is as before."""
        for side in self._sides:
            aside(knowing.fetch(side.owner_url, side.settings))
        for side in self._sides:
            knowing.wait(side.base_url)


class Pair:
    """Both cities and the region, running."""

    def __init__(self, folder: Path, told: Told) -> None:
        self.a, self.b = (Side(city, folder, told) for city in CITIES)
        self.region = RegionSide(folder, (self.a, self.b))

    def side(self, code: str) -> Side:
        """The city of a code."""
        return {side.code: side for side in (self.a, self.b)}[code]

    def other(self, side: Side) -> Side:
        """The one that it is not."""
        return self.b if side is self.a else self.a


@contextmanager
def open_pair(folder: Path) -> Iterator[Pair]:
    """Bring both cities up, and end them with everything that they started."""
    child = Child("pair", folder / "pair.log")
    child.launch(
        [sys.executable, "-m", "tests.pair", str(folder)],
        environment={"PATH": os.environ["PATH"]},
        folder=ROOT,
        signal_on_death=signal.SIGTERM,
    )
    told = folder / FILE
    try:
        child.wait_until(told.exists)
        yield Pair(folder, msgspec.json.decode(told.read_bytes(), type=Told))
    finally:
        child.end()


def aside(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a thread, whatever event loop this one has."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _rows(url: str, query: str, arguments: tuple[Any, ...]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close(timeout=5)


async def _seed(owner_url: str, settings: Settings, people: list[Persona]) -> None:
    quiet = msgspec.structs.replace(settings, metrics_port=0)
    async with owned_city(owner_url, quiet, registry()).running() as city:
        await Seeding(city).run(people)
