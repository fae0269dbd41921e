"""Every kind of token that there is, each honest: made by whom it is made by, for the town.

All of them are for one city, which plays both parts: the home city of its own citizens, asked by
its neighbour, and the visited city of the neighbour's. Everybody else's half is there as well, so
that a token that is refused is refused for its kind and for nothing else.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec

from tests.adversity.recognition.league import League, Visitor
from tests.adversity.recognition.town import OFFERED, PARTY, Town
from tests.gateway.citizens.browser import Phone
from tests.gateway.oauth.client import PartyClient
from tests.gateway.prover import Prover
from tests.gateway.recognised.home import Citizen
from tests.gateway.recognised.partner import Attempt, Partner

BOUND_PARTY = "bound-party"
#: What lives for a minute is good for no test after so many seconds.
SOON_OVER_S = 40


class Bench:
    """One town with everything that a token could be shown with."""

    def __init__(self, league: League) -> None:
        self.league = league
        self.town: Town = league.b
        self.neighbour: Town = league.a
        self.http = self.town.http()
        self.prover, self.phone = Prover(), Phone()
        self.held: dict[str, str] = {}  # the last token of each kind
        self.redeemable = Attempt()
        self._numbers = itertools.count(2)
        self._minted: dict[str, float] = {}
        # Who came with the last grant; with the last visit token; and with the last attempt.
        self.carrier = self.shown = self.waiting = self.visitor()
        self.partner = self.neighbours_backend(self.http)
        self._away = httpx.AsyncClient(transport=httpx.ASGITransport(self.town.identity))

    async def settle(self) -> None:
        """Parties with keys of their own, a citizen with a phone, the neighbour's citizen."""
        town = self.town.town
        self.party = PartyClient(town, self.http, name=PARTY)
        await town.party(BOUND_PARTY, scenarios=OFFERED, entity="bound")
        await self.town.owner.execute("UPDATE party SET dpop = true WHERE id = $1", BOUND_PARTY)
        self.bound = PartyClient(town, self.http, name=BOUND_PARTY)
        for client in (self.party, self.bound):
            await client.enrol()
        await town.city.parties.refresh(force=True)
        citizen = await self.town.person(1)
        await town.consent(citizen, recipient="library", scenario="library")
        await town.commitment(citizen, scenario="library")
        self.question = self._question(PARTY, citizen)
        self.foreign = self._question(BOUND_PARTY, citizen)
        self.citizen = Citizen(town, self.town.http(), self._away, "person-1")
        await self.citizen.log_in()
        registered = await self.citizen.post("/v1/me/devices", {"jwk": self.phone.jwk, "name": "p"})
        assert registered.status_code == 201, registered.text

    def neighbours_backend(self, http: httpx.AsyncClient) -> Partner:
        """The neighbour's backend, with its real key."""
        made = Partner(self.town.town, http, self.neighbour.code)
        _, made.kid, made.private = self.neighbour.keys[0]
        made.issuer = self.neighbour.issuer
        made.callback = made.issuer + "/recognition/callback"
        return made

    async def mint(self, kind: str) -> None:
        """A fresh token of a kind."""
        self.held[kind] = await KINDS[kind](self)
        self._minted[kind] = time.monotonic()

    async def freshen(self, kind: str) -> None:
        """Another one if it may soon be over, as on a machine that is busy with else."""
        if time.monotonic() - self._minted[kind] > SOON_OVER_S:
            await self.mint(kind)

    def _question(self, party: str, citizen: UUID) -> dict[str, Any]:
        town = self.town.town
        view = town.principal(party).party.registrations["library"].view
        manifest = town.city.registry["library"].manifest
        return {
            "subject": town.city.pseudonyms.subject(citizen, view.sector),
            "facts": msgspec.to_builtins(manifest.example_at(town.city.clock.now_us())),
        }

    def own_assertion(self) -> str:
        """The town as its own client (docs/protocol/recognition.md 6.7)."""
        made = Partner(self.town.town, self.http, self.town.code)
        _, made.kid, made.private = self.town.keys[0]
        return made.assertion()

    def visitor(self) -> Visitor:
        """A citizen of the neighbour, at the town's door; another one each time."""
        return self.league.visitor(next(self._numbers), home=self.neighbour, at=self.town)

    async def arrived(self) -> Visitor:
        """One who came back with the home city's word; `grant` is that word."""
        visitor = self.visitor()
        await self.neighbour.person(visitor.number)
        await visitor.arrive()
        attempts = self.town.town.city.visiting.attempts
        attempt = await attempts.open_one(visitor.secret)
        assert attempt is not None
        kept = attempts.kept(visitor.secret, attempt)
        assert kept is not None
        visitor.grant = kept
        return visitor

    async def login(self, says: str | None) -> httpx.Response:
        """A login at the provider, which answers with this ID token, or honestly."""
        page = self.town.http()
        begun = await page.get("/v1/login", params={"return_to": "/app/"})
        typed = {"login": "person-1"}
        signed_in = await self._away.post(begun.headers["location"], data=typed)
        self.town.provider.says = says
        answer = await page.get(signed_in.headers["location"])
        self.town.provider.says = None
        return answer


async def _bearer(bench: Bench) -> str:
    return await bench.party.token()


async def _bound(bench: Bench) -> str:
    proof = bench.prover.proof("POST", bench.town.issuer + "/oauth/token", bench.town.now_s)
    answer = await bench.http.post("/oauth/token", data=bench.bound.form(), headers={"dpop": proof})
    assert answer.json()["token_type"] == "DPoP", answer.text
    return str(answer.json()["access_token"])


async def _id_token(bench: Bench) -> str:
    assert (await bench.login(None)).status_code == 303
    return bench.town.provider.last


async def _commitment(bench: Bench) -> str:
    shown = await bench.citizen.post("/v1/me/commitments/drafts", {"scenario": "rent"})
    assert shown.status_code == 201, shown.text
    return bench.phone.sign(shown.json())


async def _grant(bench: Bench) -> str:
    bench.carrier = await bench.arrived()
    return bench.carrier.grant


async def _status_list(bench: Bench) -> str:
    await bench.arrived()  # the first grant opens the list
    lists = bench.neighbour.town.city.status_lists
    await lists.step()
    lists._held.clear()
    return await lists.token(1)


async def _trust_list(bench: Bench) -> str:
    return bench.league.region.token(bench.town.now_s, serial=bench.league.region.serial + 1_000)


async def _statement(bench: Bench) -> str:
    cities = sorted((bench.neighbour.code, bench.town.code))
    name = "-".join(cities)
    return bench.neighbour.says(0, "suspend", cities, bench.town.now_s, agreement=name)


async def _proof(bench: Bench) -> str:
    return bench.prover.proof("POST", bench.town.issuer + "/oauth/token", bench.town.now_s)


async def _request_uri(bench: Bench) -> str:
    return str((await bench.partner.push()).json()["request_uri"])


async def _code(bench: Bench) -> str:
    bench.redeemable = await bench.citizen.visit(bench.partner, scope="scenario:library")
    return bench.redeemable.code


async def _home_token(bench: Bench) -> str:
    attempt = await bench.citizen.visit(bench.partner, scope="scenario:library")
    return await bench.partner.token(attempt)


async def _visit_token(bench: Bench) -> str:
    bench.shown = await bench.arrived()
    answer = await bench.shown.present()
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def _session(bench: Bench) -> str:
    page = bench.town.http()
    citizen = Citizen(bench.town.town, page, bench._away, "person-1")
    await citizen.log_in()
    return str(page.cookies["qianjiang-session"])


async def _attempt(bench: Bench) -> str:
    bench.waiting = await bench.arrived()
    return bench.waiting.secret


async def _party_assertion(bench: Bench) -> str:
    return bench.party.assertion()


async def _city_assertion(bench: Bench) -> str:
    return bench.partner.assertion()


async def _own_assertion(bench: Bench) -> str:
    return bench.own_assertion()


KINDS: dict[str, Callable[[Bench], Awaitable[str]]] = {
    "access token": _bearer,
    "bound access token": _bound,
    "party's assertion": _party_assertion,
    "city's assertion": _city_assertion,
    "own assertion": _own_assertion,
    "ID token": _id_token,
    "commitment": _commitment,
    "grant": _grant,
    "status list": _status_list,
    "trust list": _trust_list,
    "statement": _statement,
    "proof": _proof,
    "request URI": _request_uri,
    "code": _code,
    "home token": _home_token,
    "visit token": _visit_token,
    "session": _session,
    "attempt": _attempt,
}
