"""Two cities' offices and the region's: files, environments, and commands that people there run."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.keys import write_keys
from gateway.recognition.trust_list import read_trust_list
from gateway.store import trust_list as rows
from gateway.store.migrate import Connection
from gateway.store.trust_list import Head
from tests.gateway.recognition.region import ISS, URL, TestRegion

A, B = "330100", "330200"


class Office:
    """A city's office: its files, its environment, and the commands it runs."""

    def __init__(self, folder: Path, code: str, pinned: Path, owner_url: str = "") -> None:
        self.folder = folder / code
        self.folder.mkdir()
        self.keys = self.folder / "keys.json"
        write_keys(self.keys, SystemIds())
        self.environment = {
            "QIANJIANG_CITY": code,
            "QIANJIANG_ISSUER": f"https://{code}.example",
            "QIANJIANG_CITY_CONTACT": "示例：0571-00000000",
            "QIANJIANG_KEYS_FILE": str(self.keys),
            "QIANJIANG_TRUST_LIST_KEYS": str(pinned),
            "QIANJIANG_TRUST_LIST_URL": URL,
            "QIANJIANG_OWNER_URL": owner_url,
        }

    def run(self, *words: str, **environment: str | None) -> Result:
        return CliRunner().invoke(main, ["cities", *words], env=self.environment | environment)

    def done(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def operator(self, name: str) -> tuple[Path, Path]:
        """A new operator: the private key's file and the public part's."""
        private, public = self.folder / f"{name}.jwk", self.folder / f"{name}.json"
        public.write_text(self.done("operator-key", str(private), "--name", f"示例-{name}"))
        return private, public

    def entry(self, *operators: Path) -> str:
        named = [word for path in operators for word in ("--operator", str(path))]
        words = "--name-zh", "示例", "--name-en", "Example", "--scheme", "example-delta:1"
        return self.done("entry", *words, "--scenario", "library", "--scenario", "rent", *named)


class Listed:
    """The region's office: it puts what it was sent into the list, and A's database keeps it."""

    def __init__(self, region: TestRegion, owner: Connection) -> None:
        self.region, self.owner = region, owner

    async def publish(self, entries: list[str], agreements: dict[str, list[str]]) -> None:
        now_s = SystemClock().now_us() // SECOND_US
        self.region.serial += 1
        token = self.region.token(
            now_s,
            cities=[json.loads(each) for each in entries],
            agreements=[{"id": name, "statements": said} for name, said in agreements.items()],
        )
        read = read_trust_list(
            token, self.region.region(), iss=ISS, url=URL, now_us=now_s * SECOND_US
        )
        head = Head(read.serial, read.content, read.issued_us, read.expires_us)
        assert await rows.put(self.owner, head, token)


async def in_thread(office: Office, *words: str) -> Result:
    """Commands have an event loop of their own, so they run beside this one."""
    result = await asyncio.to_thread(office.run, *words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def terms(other: str, **changes: str) -> list[str]:
    """The options of `agreement draft` for an agreement with another city."""
    given = {
        "id": "a-b",
        "with": other,
        "scenario": "library",
        "scheme": "example-delta:1",
        "from": "2020-01-01",
        "to": "2099-01-01",
    } | changes
    return [word for name, value in given.items() for word in (f"--{name}", value)]
