"""Two live cities and their region, for everybody's tests: `pair`, a fixture of the whole run.

`pair.a` is Hangzhou (330100), `pair.b` Ningbo (330200): each two gateway workers, an identity
provider and a background worker, over sockets, on a database of its own; `pair.region` is the list
that says so of them. They live in a process of their own (`python -m tests.pair FOLDER`), so that
no event loop of a test meets theirs. What a test takes away it gives back:

    with pair.region.without("330200"): ...     # expelled
    with pair.region.suspended("330100"): ...   # by both operators of a city

`pair.a.person(band=4)` makes a citizen whose score is just so and returns the login;
`Traveller(pair)` is somebody's browser, which goes between the cities.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import asyncpg
import httpx
import msgspec

from gateway import server
from gateway.clock import SystemClock
from gateway.ids import SystemIds
from gateway.keys import Keyring, load_keys
from gateway.local import alliance
from gateway.local.atlas import HANGZHOU, NINGBO, REGION_HOST, DemoCity, demo_city
from gateway.local.child import Child
from gateway.local.generator import citizen
from gateway.local.populate import owned_city
from gateway.local.processes import Supervisor, answers, free_ports, stop_on_sigterm
from gateway.local.region import LIST, Region
from gateway.local.region_server import APP, FOLDER_VARIABLE
from gateway.local.running import RunningCity, Trust
from gateway.local.seeding import Seeding
from gateway.local.seeds import ConsentSeed, Persona, load_seeds
from gateway.local.settlement import settle
from gateway.local.upfile import UpFile
from gateway.scores import today
from gateway.settings import Settings, as_environment, read_settings
from tests.engines import Database, Engines
from tests.gateway.city import registry
from tests.outside import Outside

ROOT: Final = Path(__file__).parents[1]
CITIES: Final = (HANGZHOU, NINGBO)
WORKERS: Final = 2
#: Generated people of these numbers and above are made by tests.
FIRST_PERSON: Final = 5_001

T = TypeVar("T")


class Told(msgspec.Struct):
    """What the process of the two cities says of itself when they answer: a JSON file."""

    region: str
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
        number = next(n for n in self._numbers if citizen(n, merchant=False).band == band)
        person = msgspec.structs.replace(
            citizen(number, merchant=False),
            consents=tuple(ConsentSeed(*each) for each in consents),
            commitments=commitments,
        )
        aside(_seed(self.owner_url, self.settings, person))
        return person.login


class RegionSide:
    """The region, whose list a test may change for a while."""

    def __init__(self, folder: Path) -> None:
        self.region = Region(folder / "region", SystemClock())
        self._folder = folder
        self.url = self.region.url

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

    def say(self, code: str, act: alliance.Act) -> None:
        """Both operators of the city say so of the agreement."""
        city = demo_city(code)
        claims = alliance.statement(self.region.file.id, act, *CITIES)
        for compact in alliance.said(self._folder / city.slug, city, claims, SystemClock()):
            self.region.accept(compact)

    @contextmanager
    def suspended(self, code: str) -> Iterator[None]:
        """The city's operators have suspended the agreement; afterwards they resume it."""
        self.say(code, "suspend")
        try:
            yield
        finally:
            self.say(code, "resume")


class Pair:
    """Both cities and the region, running."""

    def __init__(self, folder: Path, told: Told) -> None:
        self.a, self.b = (Side(city, folder, told) for city in CITIES)
        self.region = RegionSide(folder)

    def side(self, code: str) -> Side:
        """The city of a code."""
        return {side.code: side for side in (self.a, self.b)}[code]

    def other(self, side: Side) -> Side:
        """The one that it is not."""
        return self.b if side is self.a else self.a


class Traveller:
    """Somebody's browser: one jar of cookies, any number of cities. Redirects are not followed."""

    def __init__(self) -> None:
        self.http = httpx.Client(timeout=10)
        self._csrf: dict[str, str] = {}

    def sign_in(self, side: Side, login: str, return_to: str = "/v1/me") -> httpx.Response:
        """The way of a login: to the identity provider, through its form, and back."""
        begun = self.http.get(f"{side.base_url}/v1/login", params={"return_to": return_to})
        assert begun.status_code == 303, begun.text
        return self.through_form(begun.headers["location"], login)

    def through_form(self, address: str, login: str) -> httpx.Response:
        """Through the identity provider's form at this address; the answer of the city's callback,
        whose own redirect is not yet followed."""
        back = self.http.post(address, data={"login": login})
        assert back.status_code == 303, back.text
        return self.http.get(back.headers["location"])

    def get(self, side: Side, path: str) -> httpx.Response:
        """Read as a page does."""
        return self.http.get(f"{side.base_url}{path}")

    def post(self, side: Side, path: str, content: object = None, **headers: str) -> httpx.Response:
        """Write as a page does: its origin, the session's CSRF token, a key of its own."""
        own = {
            "origin": side.base_url,
            "x-csrf-token": self._token(side),
            "idempotency-key": f'"{SystemIds().token()}"',
        }
        body = {} if content is None else content
        return self.http.post(f"{side.base_url}{path}", json=body, headers=own | headers)

    def _token(self, side: Side) -> str:
        me = self.get(side, "/v1/me")
        return str(me.json()["csrf_token"]) if me.status_code == 200 else ""

    def __enter__(self) -> Traveller:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.http.close()


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
    told = folder / "pair.json"
    try:
        child.wait_until(told.exists)
        yield Pair(folder, msgspec.json.decode(told.read_bytes(), type=Told))
    finally:
        child.end()


class _Cloned:
    """A database of the test engines, and their cache: entries are told apart by generation."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._database: Database | None = None

    @property
    def owner_url(self) -> str:
        return self._found.owner_url

    @property
    def gateway_url(self) -> str:
        return self._found.gateway_url

    @property
    def valkey_url(self) -> str:
        return self._engines.valkey.url

    @property
    def _found(self) -> Database:
        assert self._database is not None, "inside its with block"
        return self._database

    def __enter__(self) -> _Cloned:
        self._database = self._engines.clone()
        return self

    def __exit__(self, *_: object) -> None:
        """The engines go with all their databases."""


def run(folder: Path) -> None:
    """Bring everything up in this process, say so in `pair.json`, and stay until a signal."""
    stop_on_sigterm()
    ports = free_ports(
        [REGION_HOST, *(h for c in CITIES for h in (c.gateway_host, c.identity_host))]
    )
    region = Region(folder / "region", SystemClock())
    region.begin(f"http://{REGION_HOST}:{ports[0]}")
    pinned = folder / "region-keys.json"
    pinned.write_bytes(region.keys())
    with ExitStack() as stack:
        engines = Engines()
        stack.callback(engines.stop)
        engines.start()
        cities = [
            RunningCity(
                folder / city.slug,
                city=city,
                port=ports[1 + 2 * place],
                identity_port=ports[2 + 2 * place],
                workers=WORKERS,
                personas=load_seeds(city.slug).identities(today(SystemClock())),
                engines=_Cloned(engines),
                trust=Trust(region.url, pinned),
            )
            for place, city in enumerate(CITIES)
        ]
        processes = stack.enter_context(Supervisor(folder))
        processes.launch(
            "region",
            server.command(REGION_HOST, ports[0], 1, APP),
            environment={FOLDER_VARIABLE: str(region.folder)},
            ready=answers(REGION_HOST, ports[0], LIST),
        )
        up = {}
        for running in cities:
            stack.enter_context(running)
            running.launch()
            up[running.city.code] = settle(running, 0, staff=False)
        alliance.ally(region, cities, SystemClock())
        processes.wait()
        for running in cities:
            running.wait()
        told = Told(region.url, {c.city.code: as_environment(c.settings) for c in cities}, up)
        (folder / "pair.partial").write_bytes(msgspec.json.encode(told))
        (folder / "pair.partial").rename(folder / "pair.json")
        signal.pause()


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


async def _seed(owner_url: str, settings: Settings, person: Persona) -> None:
    quiet = msgspec.structs.replace(settings, metrics_port=0)
    async with owned_city(owner_url, quiet, registry()).running() as city:
        await Seeding(city).run([person])


if __name__ == "__main__":
    try:
        run(Path(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(0)
