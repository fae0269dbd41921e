"""A seeded city that stays up for a run's browser tests: `qianjiang up`, as people start it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from gateway.cli.assertion import assertion
from gateway.local import upfile
from gateway.local.city import LocalCity
from gateway.local.places import Places
from gateway.local.upfile import UpFile

ROOT = Path(__file__).parents[2]
#: Generated people with facts, consents and promises; those of higher numbers are strangers who
#: get a record when they first sign in.
SEEDED = 40
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Site:
    """The running city, seen from outside."""

    def __init__(self, data: Path, up: UpFile) -> None:
        self.data, self.up = data, up
        self.base_url, self.identity_url = up.base_url, up.identity_url
        self._strangers = itertools.count(SEEDED + 1)
        self._known = iter(range(1, SEEDED + 1))

    @property
    def owner_url(self) -> str:
        """The database as its owner, for tests that arrange rows."""
        return LocalCity(self.data).owner_url

    def stranger(self) -> str:
        """The login of an adult who was never here; another at each call."""
        return f"person-{next(self._strangers)}"

    def known(self) -> str:
        """The login of a generated person with a record; another at each call."""
        return f"person-{next(self._known)}"

    def party(self, client_id: str) -> httpx.Client:
        """A party with a fresh token for all its scopes."""
        party = self.up.party(client_id)
        granted = httpx.post(
            f"{self.base_url}/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION,
                "client_assertion": assertion(self.base_url, party),
            },
        )
        assert granted.status_code == 200, granted.text
        token = granted.json()["access_token"]
        return httpx.Client(base_url=self.base_url, headers={"authorization": f"Bearer {token}"})

    def ask_consent(self, client_id: str, scenario: str, purpose: str, number: str) -> Any:
        """A party's request for a consent: `id`, `link` and so on."""
        body = {"scenario": scenario, "purpose": purpose, "out_request_no": number}
        with self.party(client_id) as party:
            asked = party.post("/v1/consent-requests", json=body)
        assert asked.status_code == 201, asked.text
        return asked.json()

    def ask(self, client_id: str, scenario: str, subject: str, **given: str) -> str:
        """A party's question about a citizen, with the scenario's example facts; its id."""
        facts = httpx.get(f"{self.base_url}/v1/scenarios/{scenario}").json()["example"]
        with self.party(client_id) as party:
            answer = party.post(
                f"/v1/scenarios/{scenario}/eligibility",
                json={"subject": subject, "facts": facts, **given},
            )
        assert answer.status_code == 200, answer.text
        decision: str = answer.json()["decision_id"]
        return decision

    def subject(self, login: str, client_id: str) -> str:
        """A persona's name at a party that knows it."""
        (persona,) = (each for each in self.up.personas if each.login == login)
        return persona.subjects[client_id]


@contextmanager
def open_site(data: Path) -> Iterator[Site]:
    """Bring it up in a folder of its own, and end it with everything that it started."""
    environment = {
        **os.environ,
        "QIANJIANG_DATA": str(data),
        "QIANJIANG_PORT": "0",
        "QIANJIANG_WORKERS": "2",
    }
    command = [sys.executable, "-m", "gateway.cli", "up", "--citizens", str(SEEDED)]
    log = (data / "up.log").open("w")
    with log, subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log) as up:
        try:
            yield Site(data / "up", _wait(up, data / "up" / upfile.NAME))
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(30)
            Places.of(data / "up").remove()


def _wait(up: subprocess.Popen[bytes], file: Path) -> UpFile:
    deadline = time.monotonic() + 90
    while not file.exists():
        assert up.poll() is None, (file.parents[1] / "up.log").read_text()
        assert time.monotonic() < deadline, "the city took too long"
        time.sleep(0.05)
    return upfile.read(file)
