"""Questions about many citizens in several scenarios, asked as fast as the gateway answers.

wrk asks where it is installed (one thread, closed loop), else our own client. Which question comes
next is uniform at random with a fixed seed.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from gateway.city import City
from loadtest import client
from loadtest.party import Shop

#: One token covers so many scenarios, so that tokens are of one length however many there are.
PER_TOKEN = 5

_LUA = """
local kinds, kind_of, subjects = {}, {}, {}
for line in io.lines("%(kinds)s") do
  local path, token, facts = line:match("^(%%S+) (%%S+) (.+)$")
  local headers = {["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json"}
  kinds[#kinds + 1] = {path = path, headers = headers, rest = '","facts":' .. facts .. "}"}
end
for line in io.lines("%(asked)s") do
  local kind, subject = line:match("^(%%d+) (%%S+)$")
  kind_of[#kind_of + 1] = tonumber(kind) + 1
  subjects[#subjects + 1] = subject
end
math.randomseed(20260101)
request = function()
  local pick = math.random(#subjects)
  local kind = kinds[kind_of[pick]]
  return wrk.format("POST", kind.path, kind.headers, '{"subject":"' .. subjects[pick] .. kind.rest)
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"answers":%%d,"wrong":%%d,"seconds":%%f,"p50_ms":%%f,"p99_ms":%%f}\\n',
    summary.requests,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: `wrong` counts everything but a 200."""

    answers: int
    wrong: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class Questions:
    """A shop's questions about citizens, the citizen of a number in the scenario of that number."""

    def __init__(
        self, city: City, shop: Shop, citizens: Sequence[UUID], asked: Sequence[str], folder: Path
    ) -> None:
        self._city, self._shop, self._folder = city, shop, folder
        self.asked, self.citizens = list(asked), citizens
        names = (city.pseudonyms.subject(citizen, shop.sector) for citizen in citizens)
        lines = (f"{number % len(asked)} {name}" for number, name in enumerate(names))
        self._path("asked").write_text("\n".join(lines))

    def kinds(self) -> list[tuple[str, str, str]]:
        """Path, a fresh token and facts of each scenario that is asked about."""
        now_us, kinds = self._city.clock.now_us(), []
        for start in range(0, len(self.asked), PER_TOKEN):
            names = self.asked[start : start + PER_TOKEN]
            token = self._shop.token(self._city, names)
            for name in names:
                facts = self._city.registry[name].manifest.example_at(now_us)
                path = f"/v1/scenarios/{name}/eligibility"
                kinds.append((path, token, msgspec.json.encode(facts).decode()))
        return kinds

    def ask(self, host: str, port: int, connections: int, seconds: float) -> Load:
        """Ask at random for so long, over so many connections."""
        if shutil.which("wrk") is None:
            return self._own(host, port, connections, seconds)
        self._path("kinds").write_text("\n".join(" ".join(kind) for kind in self.kinds()))
        script = self._path("ask.lua")
        script.write_text(_LUA % {name: self._path(name) for name in ("kinds", "asked")})
        line = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        # Reading a million subjects takes wrk some seconds before it begins.
        done = subprocess.run(
            [*line, "-s", str(script), f"http://{host}:{port}"],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
        return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=Load)

    def requests(self, host: str, port: int) -> list[bytes]:
        """The bytes of every question, about each citizen one."""
        kinds, requests = self.kinds(), []
        for line in self._path("asked").read_text().splitlines():
            number, _, subject = line.partition(" ")
            path, token, facts = kinds[int(number)]
            body = f'{{"subject":"{subject}","facts":{facts}}}'
            head = f"Host: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            requests.append(f"POST {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
        return requests

    def _own(self, host: str, port: int, connections: int, seconds: float) -> Load:
        requests = self.requests(host, port)
        replies = asyncio.run(client.send_for(host, port, requests, connections, seconds))
        took = sorted(reply.took_s for reply in replies)
        return Load(
            answers=len(replies),
            wrong=sum(reply.status != 200 for reply in replies),
            seconds=seconds,
            p50_ms=client.percentile(took, 0.5) * 1e3,
            p99_ms=client.percentile(took, 0.99) * 1e3,
        )

    def _path(self, name: str) -> Path:
        return self._folder / name
