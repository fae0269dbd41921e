"""What an identity provider says is judged, not believed: one that says something else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import Kind
from gateway.clock import SECOND_US, SystemClock
from gateway.ids import SystemIds
from gateway.jwk import unb64url
from gateway.local import identity
from gateway.local.identity import Grant, IdentityFile, Provider
from gateway.oidc import Discovery
from gateway.store.migrate import Connection
from tests.gateway import forge
from tests.gateway.attacks import attacks
from tests.gateway.citizens.browser import Browser
from tests.gateway.citizens.conftest import Provider as Honest
from tests.gateway.city import TestCity

NOW_S = SystemClock().now_us() // SECOND_US


class Rogue(Provider):
    """The local provider, saying something else in its ID tokens."""

    claims: dict[str, Any]
    header: dict[str, Any]
    signer: ec.EllipticCurvePrivateKey | None = None
    attack: int | None = None  # its place in the catalogue

    def _id_token(self, grant: Grant) -> str:
        honest = super()._id_token(grant)
        if self.attack is not None:
            shop = forge.Workshop(Kind.ID, honest, self._signing)
            return next(islice(attacks(Kind.ID, shop), self.attack, None))[1]
        said = msgspec.json.decode(unb64url(honest.split(".")[1])) | self.claims
        head = {"alg": "ES256", "kid": self.key.kid, "typ": "JWT"} | self.header
        signer = self.signer or self._signing
        return forge.token(forge.dumps(head), forge.dumps(said), signer)


@pytest.fixture
async def rogue(town: TestCity, provider: Honest, browser: Browser) -> AsyncIterator[Rogue]:
    """The gateway and the browser both talk to this provider."""
    file = msgspec.json.decode((provider.folder / "identity.json").read_bytes(), type=IdentityFile)
    made = Rogue(town.city.settings.oidc_issuer, file, SystemClock(), SystemIds())
    made.claims, made.header = {}, {}
    app: Any = identity.build_app(made)  # httpx and Litestar type ASGI each in their own way
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport) as wire,
        httpx.AsyncClient(transport=transport) as away,
    ):
        town.city.oidc._opened = wire
        browser.away = away
        yield made


async def test_no_forged_id_token_signs_anybody_in(
    browser: Browser, rogue: Rogue, owner: Connection
) -> None:
    """Of the catalogue A1-A13, A17 every sixth, for this very login; test_jose.py has them all."""
    places = range(0, len(list(attacks(Kind.ID))), 6)
    assert len(places) > 40
    for rogue.attack in places:
        await nobody_signed_in(await browser.log_in(), owner)
    rogue.attack = None
    assert (await browser.log_in()).status_code == 303


async def test_the_stage_itself_is_sound(browser: Browser, rogue: Rogue) -> None:
    assert (await browser.log_in()).status_code == 303


async def nobody_signed_in(answer: httpx.Response, owner: Connection) -> None:
    assert (answer.status_code, answer.json()["type"]) == (
        400,
        "urn:qianjiang:problem:login-refused",
    )
    assert "set-cookie" not in answer.headers
    for table in ("citizen", "session", "login"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") == 0


def _relative(claims: dict[str, Any]) -> str:
    """A case's name, with times told from now: equal in every process that collects it."""
    parts = []
    for name, value in claims.items():
        if name in ("iat", "exp"):
            value = f"{type(value).__name__} now{int(value) - NOW_S:+}"
        parts.append(f"{name}={value}")
    return " ".join(parts)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": ...},
        {"aud": "another-client"},
        {"aud": ["qianjiang-gateway", "another-client"]},
        {"azp": "another-client"},
        {"iss": "http://127.0.0.2:1"},
        {"exp": NOW_S - 1},
        {"iat": NOW_S + 3600, "exp": NOW_S + 3700},
        {"exp": NOW_S + 10 * 3600},
        {"exp": str(NOW_S + 60)},
        {"sub": ...},
        {"id_number": ...},
        {"id_number": 7},
        {"name": None},
        {"birthdate": ...},
    ],
    ids=_relative,
)
async def test_a_token_that_says_anything_else_signs_nobody_in(
    browser: Browser, rogue: Rogue, owner: Connection, claims: dict[str, Any]
) -> None:
    rogue.claims = claims
    await nobody_signed_in(await browser.log_in(), owner)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": "qjf-commitment+jws"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"kid": "another"},
        {"jwk": {}},
    ],
    ids=str,
)
async def test_a_token_of_another_kind_signs_nobody_in(
    browser: Browser, rogue: Rogue, owner: Connection, header: dict[str, Any]
) -> None:
    rogue.header = header
    await nobody_signed_in(await browser.log_in(), owner)


async def test_a_token_by_another_key_signs_nobody_in(
    browser: Browser, rogue: Rogue, owner: Connection
) -> None:
    rogue.signer = ec.generate_private_key(ec.SECP256R1())
    await nobody_signed_in(await browser.log_in(), owner)


@pytest.mark.parametrize("said", [..., None, False, "true", 1, {}], ids=str)
async def test_only_a_plain_yes_is_full_capacity(
    browser: Browser, rogue: Rogue, owner: Connection, said: object
) -> None:
    rogue.claims = {"full_capacity": said}
    answer = await browser.log_in()
    assert answer.json()["type"] == "urn:qianjiang:problem:adults-only"
    assert await owner.fetchval("SELECT count(*) FROM citizen") == 0


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://127.0.0.9:1"},
        {"token_endpoint": "http://example.com/token"},
        {"jwks_uri": "http://127.0.0.2.example.com/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
async def test_metadata_that_leads_elsewhere_is_not_followed(
    browser: Browser, rogue: Rogue, town: TestCity, change: dict[str, str]
) -> None:
    issuer = rogue.issuer
    told = Discovery(issuer, f"{issuer}/authorize", f"{issuer}/token", f"{issuer}/jwks.json")
    raw = msgspec.json.encode(msgspec.structs.replace(told, **change))
    serving = httpx.MockTransport(lambda _: httpx.Response(200, stream=httpx.ByteStream(raw)))
    async with httpx.AsyncClient(transport=serving) as wire:
        town.city.oidc._opened = wire
        assert (await browser.page.get("/v1/login")).status_code == 503
