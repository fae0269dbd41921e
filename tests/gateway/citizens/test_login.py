"""Signing in: who gets a session, and what cannot be turned into one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest

from gateway.clock import SECOND_US, FixedClock, SystemClock
from gateway.edge.problems import TYPE_PREFIX
from gateway.keys import b64url
from gateway.local.valkey import Valkey
from gateway.oidc import ANSWERS_MAX
from gateway.store.migrate import Connection
from tests.engines import Database
from tests.gateway.citizens.browser import Browser, open_browser
from tests.gateway.citizens.conftest import Provider
from tests.gateway.city import TestCity, open_test_city

SESSION, LOGIN = "qianjiang-session", "qianjiang-login"


def refused(answer: httpx.Response, slug: str = "login-refused", status: int = 400) -> bool:
    assert (answer.status_code, answer.json()["type"]) == (status, TYPE_PREFIX + slug)
    return SESSION not in answer.cookies


def altered(address: str, **changes: str | None) -> str:
    """A callback's address with other parameters; None takes one out."""
    parts = urlsplit(address)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return f"{parts.path}?{urlencode({k: v for k, v in query.items() if v is not None})}"


async def test_a_stranger_is_nobody(browser: Browser) -> None:
    for path in ("/v1/me", "/v1/me/notice"):
        assert (await browser.get(path)).status_code == 401
    for path in ("/v1/logout", "/v1/me/score-authorisation"):
        assert (await browser.post(path)).status_code == 401


async def test_a_citizen_signs_in_and_out(browser: Browser) -> None:
    answer = await browser.log_in("lin", return_to="/app/consents?open=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/consents?open=1")
    assert answer.headers["cache-control"] == "no-store"
    me = await browser.get("/v1/me")
    assert me.status_code == 200
    assert me.json()["who"]["name"] == "示例lin"
    out = await browser.post("/v1/logout")
    assert out.status_code == 204
    assert SESSION not in browser.page.cookies
    assert (await browser.get("/v1/me")).status_code == 401


async def test_no_cache_keeps_what_is_a_citizens(browser: Browser) -> None:
    await browser.log_in()
    for path in ("/v1/me", "/v1/me/notice", "/v1/me/devices", "/v1/me/commitments"):
        assert (await browser.get(path)).headers["cache-control"] == "no-store"
    public = await browser.get("/.well-known/jwks.json")
    assert public.headers.get_list("cache-control") == ["public, max-age=60"]


async def test_an_ended_session_stays_ended_whoever_kept_the_cookie(browser: Browser) -> None:
    await browser.log_in()
    kept = browser.page.cookies[SESSION]
    await browser.post("/v1/logout")
    browser.page.cookies.set(SESSION, kept)
    assert (await browser.get("/v1/me")).status_code == 401


async def test_a_session_ends_by_itself(browser: Browser, owner: Connection) -> None:
    await browser.log_in()
    await owner.execute("UPDATE session SET expires_at = clock_timestamp()")
    assert (await browser.get("/v1/me")).status_code == 401


async def test_ten_thousand_generated_people_can_sign_in(browser: Browser, other: Browser) -> None:
    assert (await browser.log_in("person-1")).status_code == 303
    assert (await other.log_in("person-10000")).status_code == 303
    beyond = await browser.consent_screen("person-10001")
    assert beyond.status_code == 403


@pytest.mark.parametrize(
    "return_to",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "app", "/a\tb", "/" + "x" * 600],
)
async def test_a_login_returns_to_a_path_of_ours_only(browser: Browser, return_to: str) -> None:
    answer = await browser.page.get("/v1/login", params={"return_to": return_to})
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_the_cookies_are_closed_to_scripts_and_to_other_sites(browser: Browser) -> None:
    begun = await browser.page.get("/v1/login")
    ended = await browser.log_in()
    for answer in (begun, ended):
        for cookie in answer.headers.get_list("set-cookie"):
            assert "HttpOnly" in cookie
            assert "samesite=lax" in cookie.lower()
            assert "path=/" in cookie.lower()
            assert "domain" not in cookie.lower()


async def test_over_https_the_cookies_are_bound_to_this_very_host(
    database: Database, valkey: Valkey, owner: Connection, provider: Provider
) -> None:
    given: dict[str, Any] = {
        "issuer": "https://gateway.example",
        "oidc_issuer": "https://login.example",
        "allow_loopback_http": False,
    }
    urls = database.gateway_url, owner, valkey.url
    async with open_test_city(*urls, provider.folder, **given) as town:
        assert town.city.sessions.cookie == "__Host-qianjiang-session"


async def test_the_request_asks_for_everything_that_protects_it(browser: Browser) -> None:
    begun = await browser.page.get("/v1/login")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 22
    sealed = begun.cookies[LOGIN]
    assert asked["state"][0] not in sealed


async def test_a_login_is_finished_in_the_browser_that_began_it(
    browser: Browser, other: Browser
) -> None:
    signed_in = await browser.consent_screen("lin")
    address = signed_in.headers["location"]
    assert refused(await other.page.get(address))
    await other.page.get("/v1/login")  # an attempt of their own does not help
    assert refused(await other.page.get(address))


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x" * 32},
        {"state": None},
        {"iss": "http://127.0.0.9:1"},
        {"iss": None},
        {"code": "x" * 32},
        {"code": None, "error": "access_denied"},
    ],
)
async def test_an_altered_answer_is_no_login(
    browser: Browser, change: dict[str, str | None]
) -> None:
    signed_in = await browser.consent_screen("lin")
    answer = await browser.page.get(altered(signed_in.headers["location"], **change))
    assert refused(answer)


async def test_one_answer_is_one_login(browser: Browser) -> None:
    signed_in = await browser.consent_screen("lin")
    attempt = browser.page.cookies[LOGIN]
    address = signed_in.headers["location"]
    assert (await browser.page.get(address)).status_code == 303
    browser.page.cookies.set(LOGIN, attempt)
    assert refused(await browser.page.get(address))


async def test_one_attempt_makes_the_gateway_ask_the_identity_provider_so_often(
    town: TestCity, browser: Browser
) -> None:
    began = await browser.consent_screen("lin")
    attempt, address = browser.page.cookies[LOGIN], began.headers["location"]
    asked: list[str] = []

    async def note(request: httpx.Request) -> None:
        asked.append(request.method)

    town.city.oidc._http.event_hooks = {"request": [note]}
    for _ in range(ANSWERS_MAX + 3):
        browser.page.cookies.set(LOGIN, attempt)
        assert refused(await browser.page.get(altered(address, code="made-up")))
    assert asked == ["POST"] * ANSWERS_MAX


async def test_a_code_of_one_login_is_worth_nothing_in_another(
    browser: Browser, other: Browser
) -> None:
    # A code stolen from a citizen and injected into the thief's own attempt (RFC 9700 4.5).
    stolen = parse_qs(urlsplit((await browser.consent_screen("lin")).headers["location"]).query)
    own = await other.consent_screen("mei")
    assert refused(await other.page.get(altered(own.headers["location"], code=stolen["code"][0])))


@pytest.mark.parametrize("cookie", ["", "x", b64url(b"x" * 64)])
async def test_a_made_up_attempt_is_no_attempt(browser: Browser, cookie: str) -> None:
    browser.page.cookies.set(LOGIN, cookie)
    answer = await browser.page.get("/v1/login/callback", params={"state": "", "code": "c"})
    assert refused(answer)


@pytest.mark.parametrize(("after_s", "good"), [(599, True), (600, False)])
async def test_an_attempt_ends_after_ten_minutes(
    provider: Provider,
    database: Database,
    valkey: Valkey,
    owner: Connection,
    after_s: int,
    good: bool,
) -> None:
    # Begun in the past and finished about now, so that nothing but the attempt is old.
    clock = FixedClock(SystemClock().now_us() - 600 * SECOND_US)
    urls = database.gateway_url, owner, valkey.url
    given: dict[str, Any] = {"oidc_issuer": provider.issuer, "clock": clock}
    async with open_test_city(*urls, provider.folder, **given) as town:
        async with open_browser(town.city) as browser:
            signed_in = await browser.consent_screen("lin")
            clock.advance(seconds=after_s)
            answer = await browser.page.get(signed_in.headers["location"])
            assert answer.status_code == 303 if good else refused(answer)


async def test_a_session_planted_before_the_login_never_becomes_a_signed_in_one(
    browser: Browser, other: Browser
) -> None:
    planted = "A" * 32
    browser.page.cookies.set(SESSION, planted, domain="127.0.0.1")
    await browser.log_in()
    assert browser.page.cookies.get(SESSION, domain="127.0.0.1") != planted
    other.page.cookies.set(SESSION, planted)
    assert (await other.get("/v1/me")).status_code == 401


async def test_a_second_login_ends_the_session_before(browser: Browser, other: Browser) -> None:
    await browser.log_in("lin")
    before = browser.page.cookies[SESSION]
    await browser.log_in("mei")
    assert browser.page.cookies[SESSION] != before
    other.page.cookies.set(SESSION, before)
    assert (await other.get("/v1/me")).status_code == 401


async def test_a_write_needs_the_sessions_own_token(browser: Browser, other: Browser) -> None:
    await browser.log_in("lin")
    await other.log_in("mei")
    for token in ("", "x", other.csrf, browser.csrf[:-1]):
        answer = await browser.post("/v1/logout", **{"x-csrf-token": token})
        assert answer.status_code == 403
    assert (await browser.get("/v1/me")).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8701"])
async def test_a_write_from_another_origin_is_refused(browser: Browser, origin: str) -> None:
    await browser.log_in()
    assert (await browser.post("/v1/logout", origin=origin)).status_code == 403
    assert (await browser.post("/v1/logout", origin="http://127.0.0.1:8700")).status_code == 204


async def test_the_token_of_a_session_is_not_the_session(browser: Browser, other: Browser) -> None:
    await browser.log_in()
    other.page.cookies.set(SESSION, browser.csrf[:32])
    assert (await other.get("/v1/me")).status_code == 401


async def test_the_database_holds_no_cookie(
    town: TestCity, browser: Browser, owner: Connection
) -> None:
    await browser.log_in()
    cookie = browser.page.cookies[SESSION]
    held = await owner.fetchval("SELECT id_hash FROM session")
    assert len(cookie) >= 22
    assert cookie.encode() not in held
    life = await owner.fetchval("SELECT to_us(expires_at) - to_us(created_at) FROM session")
    assert abs(life - town.city.settings.session_ttl_s * SECOND_US) < SECOND_US


async def test_without_the_identity_provider_nobody_signs_in_and_it_is_said(
    provider: Provider, database: Database, valkey: Valkey, owner: Connection
) -> None:
    urls = database.gateway_url, owner, valkey.url
    silent = "http://127.0.0.2:1"
    async with open_test_city(*urls, provider.folder, oidc_issuer=silent) as town:
        async with open_browser(town.city) as browser:
            answer = await browser.page.get("/v1/login")
            assert answer.status_code == 503
