"""Cities that agreed with each other, their region, and people who travel between them."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.recognition.admitting import admit
from gateway.recognition.schemes import publish
from gateway.recognition.visit_sessions import SESSION_PATH
from gateway.sessions import hash_of
from tests.adversity.recognition.town import Town
from tests.gateway.prover import Prover
from tests.gateway.recognition.region import TestRegion
from tests.gateway.recognition.serving import RegionServer
from tests.gateway.recognition.visitors import raw

#: As the job fetches the list every few seconds, so it is fetched here before its time is over:
#: two cities have it of different seconds, and the one whose list ends first refuses the other.
NEARLY_OVER_US = 30 * SECOND_US

TERMS = {"from": "2026-01-01", "to": "2099-01-01", "scenarios": ["library", "rent"]}


class League:
    """The region and its towns; every two of them agreed. Times of its list are the true ones."""

    def __init__(self, region: TestRegion, server: RegionServer, towns: list[Town]) -> None:
        self.region, self.server, self.towns = region, server, towns

    @property
    def a(self) -> Town:
        """The home city of most tests."""
        return self.towns[0]

    @property
    def b(self) -> Town:
        """The visited one."""
        return self.towns[1]

    async def agree(self) -> None:
        """Sign everything, publish the scheme, know each other as parties."""
        now_s = SystemClock().now_us() // SECOND_US
        for low, high in itertools.combinations(sorted(self.towns, key=lambda t: t.code), 2):
            self.region.agree(f"{low.code}-{high.code}", low, high, now_s - 100, **TERMS)
        for town in self.towns:
            await publish(town.owner, raw())
        await self.publish()
        for town in self.towns:
            for other in self.towns:
                city = town.town.city.trust.city(other.code)
                if other is not town and city is not None:
                    await admit(town.owner, city)
            await self.refresh(town)

    async def publish(self) -> None:
        """The region's list as it is now, fetched by every town and known to every worker."""
        self.region.serial += 1
        for town in self.towns:
            await self.fetch(town)

    async def fetch(self, town: Town) -> None:
        """One city fetches the list."""
        await town.town.city.trust_fetcher.step()
        await self.refresh(town)

    async def keep(self, *towns: Town) -> None:
        """Fetch it again where it is nearly over: on a busy machine a test may take a minute."""
        for town in towns:
            if town.town.city.trust.until_us - town.clock.now_us() < NEARLY_OVER_US:
                await self.fetch(town)

    async def refresh(self, town: Town) -> None:
        """Every worker of a town looks at what changed elsewhere."""
        for worker in town.workers:
            await worker.city.parties.refresh(force=True)
            await worker.city.refresh()

    async def worker(self, town: Town) -> int:
        """One more worker of a town; its number."""
        await town.worker()
        await self.refresh(town)
        return len(town.workers) - 1

    def visitor(
        self, number: int = 1, *, home: Town | None = None, at: Town | None = None
    ) -> Visitor:
        """The browser of a citizen of a home city (`a`), on the way to another one (`b`)."""
        return Visitor(self, home or self.a, at or self.b, number)


class Visitor:
    """Somebody's browser, and the key that the visited city's page made in it."""

    def __init__(self, league: League, home: Town, at: Town, number: int) -> None:
        self.league, self.number, self.key = league, number, Prover()
        self.home, self.at = home, at
        self._away = httpx.ASGITransport(home.identity)
        sites: dict[str, httpx.AsyncBaseTransport] = {
            home.issuer: home.sites[0],
            at.issuer: at.sites[0],
            home.provider.issuer: self._away,
        }
        self.page = httpx.AsyncClient(mounts=sites)
        self.grant = ""

    async def close(self) -> None:
        """Leave."""
        await self.page.aclose()

    @property
    def secret(self) -> str:
        """What the browser holds of its attempt."""
        return cookie_of(self.page, self.at.issuer, "qianjiang-visit")

    def proof(self, path: str = "/oauth/token", **given: Any) -> str:
        """A proof for the visited city."""
        return self.key.proof("POST", self.at.issuer + path, self.at.now_s, **given)

    async def begin(self, *scenarios: str) -> httpx.Response:
        """Choose the home city on the visited city's page."""
        wish = {
            "home": self.home.code,
            "scenarios": scenarios or ("library",),
            "jkt": self.key.jkt,
        }
        await self.league.keep(self.home, self.at)
        return await self.page.post(f"{self.at.issuer}/v1/visits", json=wish)

    async def arrive_home(self, location: str) -> str:
        """Open the request at home and sign in for it; the request's address on the API."""
        opened = await self.page.get(location)
        assert opened.status_code == 303, opened.text
        login = {"login": f"person-{self.number}"}
        signed_in = await self.page.post(opened.headers["location"], data=login)
        assert signed_in.status_code == 303, signed_in.text
        back = await self.page.get(signed_in.headers["location"])
        assert back.status_code == 303, back.text
        request = urlsplit(back.headers["location"]).path.rpartition("/")[2]
        return f"{self.home.issuer}/v1/me/recognition-requests/{request}"

    async def decide(self, request: str, how: str = "allow") -> str:
        """Allow the request as its page does; where the browser goes then."""
        text = (await self.page.get(request)).json()["text"]["sha256"]
        body = {"text_sha256": text} if how == "allow" else {}
        answer = await self.write(self.home, f"{request}/{how}", body)
        assert answer.status_code == 200, answer.text
        location: str = answer.json()["location"]
        return location

    async def come_back(self, location: str) -> httpx.Response:
        """Return to the visited city, which fetches the home city's word."""
        await self.league.keep(self.home, self.at)
        return await self.page.get(location)

    async def return_with_code(self, *scenarios: str) -> str:
        """The whole way but for the last step; the address with the code."""
        begun = await self.begin(*scenarios)
        assert begun.status_code == 201, (begun.text, await self.reasons())
        return await self.decide(await self.arrive_home(begun.json()["location"]))

    async def reasons(self) -> list[dict[tuple[str, str], int]]:
        """What each side has on record of refusals: for a test that fails."""
        return [await town.refusals() for town in (self.home, self.at)]

    async def arrive(self, *scenarios: str) -> None:
        """To the home city and back, with its word."""
        back = await self.come_back(await self.return_with_code(*scenarios))
        assert (back.status_code, back.headers["location"]) == (303, "/app/visit/arrive")
        await self.home.town.city.status_lists.step()

    async def present(self, proof: str | None = None) -> httpx.Response:
        """Show the word that was kept."""
        await self.league.keep(self.home, self.at)
        fields = {"dpop": proof or self.proof()}
        return await self.page.post(f"{self.at.issuer}/v1/visits/token", headers=fields)

    async def enter(self, token: str, proof: str | None = None) -> httpx.Response:
        """Exchange the token for a session."""
        made = proof or self.proof(SESSION_PATH, token=token)
        fields = {"authorization": f"DPoP {token}", "dpop": made}
        return await self.page.post(self.at.issuer + SESSION_PATH, headers=fields)

    async def visit(self, *scenarios: str) -> UUID:
        """The whole way in; who the visitor is at the visited city."""
        await self.arrive(*scenarios)
        shown = await self.present()
        assert shown.status_code == 200, (shown.text, await self.reasons())
        entered = await self.enter(shown.json()["access_token"])
        assert entered.status_code == 204, entered.text
        session = cookie_of(self.page, self.at.issuer, "qianjiang-session")
        found: UUID = (await self.at.rows(WHOSE, hash_of(session)))[0]["citizen"]
        return found

    async def write(self, town: Town, address: str, content: Any) -> httpx.Response:
        """Write as a page of the town does."""
        me = (await self.page.get(f"{town.issuer}/v1/me")).json()
        fields = {
            "x-csrf-token": me["csrf_token"],
            "idempotency-key": f'"{SystemIds().token()}"',
        }
        return await self.page.post(address, json=content, headers=fields)


#: Whose session it is.
WHOSE = "SELECT citizen FROM session WHERE id_hash = $1"


def cookie_of(client: httpx.Client | httpx.AsyncClient, issuer: str, name: str) -> str:
    """A cookie that a browser has of one city."""
    host = urlsplit(issuer).hostname
    jar = client.cookies.jar
    return next(str(each.value) for each in jar if (each.name, each.domain) == (name, host))
