"""A citizen's browser for tests: it keeps cookies, follows a login, sends what a page would send.

The gateway is called in process; the identity provider, and the gateway's own calls to it, go over
real sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.city import City
from gateway.ids import SystemIds
from gateway.jwk import Alg, Key, public_jwk, thumbprint
from tests.gateway import forge
from tests.gateway.apps import app_of


class Page:
    """What every page does, once it knows its session's CSRF token."""

    def __init__(self, page: httpx.AsyncClient) -> None:
        self.page, self.csrf = page, ""

    async def post(
        self, path: str, content: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Write as the page does, each time under an idempotency key of its own."""
        own = {"x-csrf-token": self.csrf, "idempotency-key": f'"{key or SystemIds().token()}"'}
        return await self.page.post(
            path, json={} if content is None else content, headers=own | headers
        )


class Browser(Page):
    """One citizen's browser."""

    def __init__(self, city: City, page: httpx.AsyncClient, away: httpx.AsyncClient) -> None:
        super().__init__(page)
        self.city, self.away = city, away

    async def consent_screen(self, login: str, return_to: str = "/app/") -> httpx.Response:
        """Sign in at the identity provider; its answer leads back and is not yet followed."""
        begun = await self.page.get("/v1/login", params={"return_to": return_to})
        assert begun.status_code == 303, begun.text
        return await self.away.post(begun.headers["location"], data={"login": login})

    async def log_in(self, login: str = "lin", return_to: str = "/app/") -> httpx.Response:
        """The whole login; returns the callback's answer."""
        signed_in = await self.consent_screen(login, return_to)
        assert signed_in.status_code == 303, signed_in.text
        answer = await self.page.get(signed_in.headers["location"])
        if answer.status_code == 303:
            self.csrf = (await self.page.get("/v1/me")).json()["csrf_token"]
        return answer

    async def get(self, path: str) -> httpx.Response:
        """Read as the page does."""
        return await self.page.get(path)


@asynccontextmanager
async def open_browser(city: City, app: Any = None) -> AsyncIterator[Browser]:
    """A fresh browser in front of a worker, or of an application already built around it."""
    app = app or app_of(city)
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url=city.settings.issuer) as page,
        httpx.AsyncClient(trust_env=False, verify=False) as away,
    ):
        yield Browser(city, page, away)


class Phone:
    """A device with a key that never leaves it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key()
        self.kid = thumbprint(public)
        jwk = public_jwk(Key(self.kid, Alg.ES256, public))
        self.jwk = {name: jwk[name] for name in ("kty", "crv", "x", "y")}

    def sign(self, draft: dict[str, Any], **changes: Any) -> str:
        """The commitment of a draft, or an altered one; None takes a claim out."""
        names: tuple[str, ...] = ("template", "template_version", "text_sha256", "scenario")
        names += ("party", "subject", "nonce", "iat", "exp")
        claims = {name: draft[name] for name in names if draft.get(name) is not None} | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": self.kid, "typ": "qjf-commitment+jws"}
        return forge.token(forge.dumps(header), forge.dumps(claims), self.key)
