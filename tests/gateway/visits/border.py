"""A visited city with neighbours, and visitors' browsers in front of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from gateway.recognition.home_city import CALLBACK
from gateway.recognition.visit_sessions import SESSION_PATH
from gateway.sessions import CSRF_HEADER
from tests.gateway.callers import Callers
from tests.gateway.city import TestCity
from tests.gateway.prover import Prover
from tests.gateway.recognition.region import City, TestRegion
from tests.gateway.visits.home import Home

TERMS = {"from": "2026-01-01", "to": "2099-01-01", "scenarios": ["library", "rent"]}


class Border:
    """The visited city's workers, the home cities around it, and what they agreed on."""

    def __init__(self, town: TestCity, region: TestRegion, own: City, homes: list[Home]) -> None:
        self.town, self.region, self.own, self.homes = town, region, own, homes
        self.workers = [town]
        self._callers: dict[int, Callers] = {}

    @property
    def home(self) -> Home:
        return self.homes[0]

    def join(self, worker: TestCity) -> None:
        """One more worker."""
        self.workers.append(worker)

    def forget_lists(self) -> None:
        """As if the workers had read no status list lately."""
        for worker in self.workers:
            worker.city.status_reader._seen.clear()
            worker.city.status_reader._tried.clear()

    def callers(self, worker: TestCity | None = None) -> Callers:
        """Who may knock at a worker; its application is made once."""
        at = worker or self.town
        if id(at) not in self._callers:
            self._callers[id(at)] = Callers(at)
        return self._callers[id(at)]

    async def publish(self) -> None:
        """The region signs its list as it is now, and every worker knows it."""
        now_s = self.town.city.clock.now_us() // 1_000_000
        await self.town.owner.execute("DELETE FROM trust_list")
        await self.town.owner.execute(
            "INSERT INTO trust_list (serial, content, token, issued_at, expires_at)"
            " VALUES ($1, sha256($2::text::bytea), $2, to_timestamp($3), to_timestamp($3 + 60))",
            *(self.region.serial, self.region.token(now_s), float(now_s)),
        )
        self.region.serial += 1
        for worker in self.workers:
            await worker.city.trust.refresh()

    def browser(self, home: Home | None = None, worker: TestCity | None = None) -> Visitor:
        """A fresh browser with a key of its own."""
        return Visitor(self, home or self.home, worker or self.town)

    async def refused(self) -> set[str]:
        """The reasons on record."""
        rows = await self.town.owner.fetch("SELECT reason FROM recognition_refusal")
        return {row["reason"] for row in rows}


class Visitor:
    """A visitor's browser, and the key that does not leave it."""

    def __init__(self, border: Border, home: Home, worker: TestCity) -> None:
        self.border, self.home, self.key = border, home, Prover()
        self.page = border.callers(worker).stranger()
        self.state = ""
        self.grant = ""

    @property
    def now_s(self) -> int:
        return self.border.town.city.clock.now_us() // 1_000_000

    @property
    def secret(self) -> str:
        """What the browser holds of its attempt."""
        return self.page.cookies["qianjiang-visit"]

    def proof(self, path: str = "/oauth/token", **given: Any) -> str:
        issuer = self.border.town.city.settings.issuer
        return self.key.proof("POST", issuer + path, self.now_s, **given)

    async def begin(self, *scenarios: str, **changes: Any) -> httpx.Response:
        """The page's first step."""
        wish = {"home": self.home.code, "scenarios": scenarios or ("library",), "jkt": self.key.jkt}
        answer = await self.page.post("/v1/visits", json=wish | changes)
        if answer.status_code == 201:
            self.state = self.home.forms[-1][1]["state"]
        return answer

    async def come_back(self, **changes: Any) -> httpx.Response:
        """The home city sends the browser back; `...` leaves a parameter out."""
        said = {"code": "code-1", "state": self.state, "iss": self.home.issuer} | changes
        given = {name: value for name, value in said.items() if value is not ...}
        return await self.page.get(CALLBACK, params=given)

    async def arrive(self, *scenarios: str, **claims: Any) -> httpx.Response:
        """To the home city and back, with its word."""
        begun = await self.begin(*scenarios)
        assert begun.status_code == 201, begun.text
        self.grant = self.home.grant(self.border.town, self.key.jkt, **claims)
        self.home.next_grant = self.grant
        return await self.come_back()

    async def present(self, proof: str | None = None) -> httpx.Response:
        """Show the word that was kept, with a proof."""
        headers = {"dpop": proof or self.proof()}
        return await self.page.post("/v1/visits/token", headers=headers)

    async def enter(self, token: str, proof: str | None = None) -> httpx.Response:
        """Exchange the token for a session."""
        made = proof or self.proof(SESSION_PATH, token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": made}
        return await self.page.post(SESSION_PATH, headers=headers)

    async def visit(self, *scenarios: str, **claims: Any) -> httpx.AsyncClient:
        """The whole way in; the browser, signed in as a citizen's page is."""
        arrived = await self.arrive(*scenarios, **claims)
        assert arrived.status_code == 303, arrived.text
        shown = await self.present()
        assert shown.status_code == 200, shown.text
        entered = await self.enter(shown.json()["access_token"])
        assert entered.status_code == 204, entered.text
        me = (await self.page.get("/v1/me")).json()
        self.page.headers[CSRF_HEADER] = me["csrf_token"]
        return self.page


def asked_at(location: str) -> dict[str, list[str]]:
    """The parameters of an address."""
    return parse_qs(urlsplit(location).query)
