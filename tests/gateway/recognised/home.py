"""A citizen with a browser at home, led there by another city."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from gateway.jwk import Alg, Key, public_jwk, thumbprint
from gateway.local.identity import Client
from gateway.local.people import person_of_login
from gateway.oidc import CALLBACK, Told
from scoring import Explanation, Line, Words
from tests.gateway.citizens.browser import Page
from tests.gateway.city import TestCity
from tests.gateway.recognised.partner import Attempt, Partner

IDP = "http://127.0.0.2:8701"
REQUESTS = "/v1/me/recognition-requests"


def client_of(town: TestCity) -> Client:
    """The city as the identity provider has it registered."""
    public = town.city.keys.oidc_client.public_key()
    jwk = public_jwk(Key(thumbprint(public), Alg.ES256, public))
    return Client("qianjiang-gateway", (town.city.settings.issuer + CALLBACK,), jwk)


class Citizen(Page):
    """One person and one browser."""

    def __init__(
        self, town: TestCity, page: httpx.AsyncClient, away: httpx.AsyncClient, login: str
    ) -> None:
        super().__init__(page)
        self.town, self.away, self.login = town, away, login

    @property
    def told(self) -> Told:
        """What the identity provider says of the person."""
        who = person_of_login(self.login)
        assert who is not None
        return Told(
            issuer="https://before.example",
            subject=who.login,
            name=who.name,
            id_number=who.id_number,
            birthdate=who.birthdate.isoformat(),
            full_capacity=True,
        )

    async def id(self) -> UUID:
        """Which citizen this is."""
        return await self.town.city.citizens.enrol(self.told)

    async def settle(self, band: int) -> UUID:
        """Be a citizen with a score of a band."""
        citizen, city = await self.id(), self.town.city
        await city.authorisations.give(citizen, city.authorisations.notice.sha256, (), None)
        await self.band(band)
        return citizen

    async def band(self, band: int) -> None:
        """Have a score of another band, as the next publication would write it."""
        citizen, city = await self.id(), self.town.city
        key = await self.town.owner.fetchval(
            "SELECT wrapped_key FROM citizen WHERE id = $1", citizen
        )
        told = Explanation(600, (Line(600, Words("示例", "example")),), (), ())
        sealed = city.vault.person(key, citizen).seal(
            msgspec.json.encode(told), b"score/factors/" + citizen.bytes
        )
        async with city.writer.change(citizen):
            await self.town.owner.execute(
                "INSERT INTO score VALUES ($1, 1, 600, $2, $3)"
                " ON CONFLICT (citizen) DO UPDATE SET band = excluded.band",
                *(citizen, band, sealed),
            )

    async def log_in(self) -> None:
        """Sign in as on any day."""
        begun = await self.page.get("/v1/login", params={"return_to": "/app/"})
        await self.follow(begun.headers["location"])

    async def open(self, request_uri: str, code: str) -> httpx.Response:
        """Arrive with a city's request."""
        asked = {"client_id": code, "request_uri": request_uri}
        return await self.page.get("/oauth/authorize", params=asked)

    async def arrive(self, partner: Partner, attempt: Attempt, **asked: Any) -> str:
        """Be led here by a city, and sign in; the request's path on the API."""
        pushed = await partner.push(attempt, **asked)
        assert pushed.status_code == 201, pushed.text
        opened = await self.open(pushed.json()["request_uri"], partner.code)
        assert opened.status_code == 303, opened.text
        page = await self.follow(opened.headers["location"])
        assert page.startswith("/app/recognition/")
        return f"{REQUESTS}/{page.rpartition('/')[2]}"

    async def shown(self, path: str) -> dict[str, Any]:
        """The request as it is read."""
        answer = await self.page.get(path)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    async def allow(self, path: str, **changes: Any) -> httpx.Response:
        """Read the request and allow it."""
        text = (await self.shown(path))["text"]["sha256"]
        return await self.post(f"{path}/allow", {"text_sha256": text} | changes)

    async def visit(self, partner: Partner, **asked: Any) -> Attempt:
        """The whole way, until the city has its code."""
        attempt = Attempt()
        answer = await self.allow(await self.arrive(partner, attempt, **asked))
        assert answer.status_code == 200, answer.text
        attempt.came_back(answer.json()["location"], partner)
        assert attempt.code
        return attempt

    async def follow(self, address: str) -> str:
        """Sign in at the provider and come back: the page where that leads."""
        signed_in = await self.away.post(address, data={"login": self.login})
        assert signed_in.status_code == 303, signed_in.text
        back = await self.page.get(signed_in.headers["location"])
        assert back.status_code == 303, back.text
        self.csrf = (await self.page.get("/v1/me")).json()["csrf_token"]
        return urlsplit(back.headers["location"]).path
