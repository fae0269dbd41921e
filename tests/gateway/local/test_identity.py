"""The local identity provider refuses what a strict one refuses."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.claims import AssertionClaims, Kind
from gateway.clock import SECOND_US, FixedClock
from gateway.ids import SystemIds
from gateway.jose import sign
from gateway.jwk import thumbprint, unb64url
from gateway.keys import b64url
from gateway.local.identity import (
    ASSERTION_TYPE,
    IdentityFile,
    Provider,
    build_app,
    write_identity_file,
)
from gateway.local.people import Identity, synthetic_number

ISSUER, CLIENT, HOME = "http://127.0.0.2:1", "the-gateway", "http://127.0.0.1:1/back"
VERIFIER = "v" * 43
LIN = Identity(
    login="lin",
    name="示例林",
    id_number=synthetic_number(8_000_000, date(1990, 1, 1)),
    birthdate=date(1990, 1, 1),
)
KEY = ec.generate_private_key(ec.SECP256R1())
ASKED = {
    "client_id": CLIENT,
    "redirect_uri": HOME,
    "response_type": "code",
    "scope": "openid",
    "state": "s",
    "nonce": "n",
    "code_challenge": b64url(hashlib.sha256(VERIFIER.encode()).digest()),
    "code_challenge_method": "S256",
}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(1_790_000_000 * SECOND_US)


@pytest.fixture
async def browser(clock: FixedClock, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path / "identity.json"
    write_identity_file(path, [(CLIENT, HOME, KEY)], [LIN], generated=100)
    file = msgspec.json.decode(path.read_bytes(), type=IdentityFile)
    app = build_app(Provider(ISSUER, file, clock, SystemIds()))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar types scopes itself
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as browser:
        yield browser


def assertion(clock: FixedClock, key: ec.EllipticCurvePrivateKey = KEY, jti: str = "") -> str:
    now = clock.now_us() // SECOND_US
    claims = AssertionClaims(
        iss=CLIENT, sub=CLIENT, aud=ISSUER, jti=jti or SystemIds().token(), iat=now, exp=now + 60
    )
    return sign(Kind.ASSERTION, claims, thumbprint(KEY.public_key()), key)


async def code_of(browser: httpx.AsyncClient, login: str = "lin") -> str:
    answer = await browser.post("/authorize", params=ASKED, data={"login": login})
    assert answer.status_code == 303
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    assert found["iss"] == [ISSUER]
    assert found["state"] == ["s"]
    return found["code"][0]


async def exchange(
    browser: httpx.AsyncClient, clock: FixedClock, code: str, /, **changes: str
) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": HOME,
        "code_verifier": VERIFIER,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(clock),
    }
    return await browser.post("/token", data=form | changes)


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "another"},
        {"redirect_uri": HOME + "/elsewhere"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
        {"scope": "profile"},
        {"nonce": ""},
    ],
)
async def test_a_request_that_is_not_in_order_is_never_redirected(
    browser: httpx.AsyncClient, change: dict[str, str]
) -> None:
    for answer in (
        await browser.get("/authorize", params=ASKED | change),
        await browser.post("/authorize", params=ASKED | change, data={"login": "lin"}),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_its_page_is_one_for_a_phone_and_its_style_is_the_only_one_let_in(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.get("/authorize", params=ASKED)
    assert 'name="viewport" content="width=device-width' in answer.text
    assert '<label for="login">' in answer.text
    style = answer.text.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in answer.headers["content-security-policy"]


async def test_nobody_else_signs_in(browser: httpx.AsyncClient) -> None:
    for login in ("", "nobody", "person-101", "person-0"):
        answer = await browser.post("/authorize", params=ASKED, data={"login": login})
        assert answer.status_code == 403


async def test_a_client_proves_itself_with_its_key_and_once(
    browser: httpx.AsyncClient, clock: FixedClock
) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    refused = await exchange(
        browser, clock, await code_of(browser), client_assertion=assertion(clock, stranger)
    )
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_client"})
    once = assertion(clock, jti="only-once")
    good = await exchange(browser, clock, await code_of(browser), client_assertion=once)
    assert good.status_code == 200
    again = await exchange(browser, clock, await code_of(browser), client_assertion=once)
    assert again.json() == {"error": "invalid_client"}


@pytest.mark.parametrize(
    "change", [{"code_verifier": "w" * 43}, {"redirect_uri": HOME + "/elsewhere"}, {"code": "x"}]
)
async def test_a_code_is_good_for_its_own_request_only(
    browser: httpx.AsyncClient, clock: FixedClock, change: dict[str, str]
) -> None:
    answer = await exchange(browser, clock, await code_of(browser), **change)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


async def test_a_code_is_good_once_and_for_a_minute(
    browser: httpx.AsyncClient, clock: FixedClock
) -> None:
    code = await code_of(browser)
    assert (await exchange(browser, clock, code)).status_code == 200
    assert (await exchange(browser, clock, code)).json() == {"error": "invalid_grant"}
    late = await code_of(browser)
    clock.advance(seconds=60)
    assert (await exchange(browser, clock, late)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("login", ["lin", "person-7"])
async def test_who_signs_in_is_who_the_token_says(
    browser: httpx.AsyncClient, clock: FixedClock, login: str
) -> None:
    page = await browser.get("/authorize", params=ASKED)
    assert page.status_code == 200
    assert page.text.count("<input") == 1
    assert "not for production" in page.text
    answer = await exchange(browser, clock, await code_of(browser, login))
    payload = unb64url(answer.json()["id_token"].split(".")[1])
    claims = msgspec.json.decode(payload)
    assert claims["nonce"] == "n"
    assert claims["aud"] == CLIENT
    assert claims["id_number"].startswith("99")
    assert claims["full_capacity"] is True
