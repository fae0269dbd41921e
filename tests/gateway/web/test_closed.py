"""Pages are closed: to strangers, to frames, to scripts of others, to memories of browsers."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from litestar.routes import HTTPRoute

from gateway.edge.access import ACCESS, Access
from gateway.edge.problems import TYPE_PREFIX
from gateway.web.assets import assets
from gateway.web.catalogue import catalogue
from gateway.web.render import CSP, PAGE
from gateway.web.sign_in import REFUSALS, is_own_page
from tests.gateway.callers import Callers
from tests.gateway.edge.table import ANY, framework_of
from tests.gateway.web.corpus import CORPUS
from tests.gateway.web.people import enrolled

HTML = {"accept": "text/html,application/xhtml+xml"}


def pages_of(callers: Callers, access: Access) -> list[str]:
    """An address of every page for this kind of caller."""
    found = []
    for route in framework_of(callers.town).routes:
        if isinstance(route, HTTPRoute) and "GET" in route.route_handler_map:
            handler, _ = route.route_handler_map["GET"]
            if handler.opt.get(PAGE) and handler.opt[ACCESS] is access:
                names = re.findall(r"{(\w+)}", route.path_format)
                given = dict.fromkeys(names, "0" * 8 + "-0000-0000-0000-" + "0" * 12) | ANY
                found.append(route.path_format.format_map(given))
    assert found
    return found


async def test_a_stranger_at_a_page_is_led_to_signing_in_and_back(callers: Callers) -> None:
    for path in pages_of(callers, Access.CITIZEN):
        answer = await callers.stranger(**HTML).get(f"{path}?a=1&b=%2F")
        assert answer.status_code == 303, path
        there = urlsplit(answer.headers["location"])
        assert (there.scheme, there.netloc, there.path) == ("", "", "/app/sign-in")
        assert parse_qs(there.query) == {"return_to": [f"{path}?a=1&b=%2F"]}
        assert answer.content == b""


async def test_who_does_not_ask_for_a_page_gets_the_problem(callers: Callers) -> None:
    for path in pages_of(callers, Access.CITIZEN):
        answer = await callers.stranger().get(path)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_session_that_ended_is_a_strangers(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    await callers.town.owner.execute("UPDATE session SET ended_at = clock_timestamp()")
    for path in pages_of(callers, Access.CITIZEN):
        assert (await me.get(path, headers=HTML)).status_code == 303, path


def assert_closed(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"] == CSP
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    # What the policy forbids is not there either: it is the second wall, not the first.
    found = Elements()
    found.feed(answer.text)
    assert found.names & {"style", "iframe", "object", "embed", "base"} == set()
    assert [name for _, name, _ in found.attributes if name == "style" or name[:2] == "on"] == []
    for element, name, value in found.attributes:
        if name in {"href", "src", "action", "data-act", "data-then"}:
            assert re.match(r"\Z|[?#]|/(?!/)", value), (element, name, value)
    sources = [value for element, name, value in found.attributes if (element, name) == SCRIPT]
    assert sources
    assert all(value.startswith(f"/app/static/{assets().release}/") for value in sources)
    kinds = {value for element, name, value in found.attributes if (element, name) == KIND}
    assert kinds == {"module", "application/json"}


SCRIPT, KIND = ("script", "src"), ("script", "type")


class Elements(HTMLParser):
    """The names of a page's elements, and all their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


async def test_every_page_is_closed(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    shown = 0
    for path in pages_of(callers, Access.CITIZEN):
        answer = await me.get(path, headers=HTML, follow_redirects=True)
        assert answer.status_code in (200, 404), (path, answer.status_code)
        assert_closed(answer)
        shown += answer.status_code == 200
    assert shown >= 3
    for path in pages_of(callers, Access.PUBLIC):
        answer = await callers.stranger(**HTML).get(path)
        assert answer.status_code in (200, 404), path
        assert_closed(answer)


async def test_the_policy_trusts_nobody_else() -> None:
    parts = dict(part.split(" ", 1) for part in CSP.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["frame-ancestors"] == parts["base-uri"] == parts["trusted-types"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert not re.search(r"unsafe|https?:|\*|data:", CSP)


@pytest.mark.parametrize("text", CORPUS)
async def test_a_name_is_text_whatever_it_says(callers: Callers, text: str) -> None:
    me = await callers.citizen(await enrolled(callers.town, name=text))
    html = (await me.get("/app/", headers=HTML)).text
    for mark in ("<script>", "<img", "<svg/", "<style>", "<base", "<meta http", "<iframe", "49"):
        assert mark not in html.split("<h1>")[1].split("</h1>")[0]
    assert_closed(await me.get("/app/", headers=HTML))


@pytest.mark.parametrize("text", CORPUS)
async def test_an_address_puts_nothing_into_a_page(callers: Callers, text: str) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    for path in ("/app/sign-in", "/app/notice", "/app/"):
        query = {"return_to": text, "then": text, "again": "1", "lang": text, "q": text}
        answer = await me.get(path, params=query, headers=HTML)
        assert answer.status_code == 200
        assert_closed(answer)
        assert "javascript:" not in answer.text
        assert "evil.example" not in re.sub(r'href="\?[^"]*"', "", answer.text)


ELSEWHERE = (
    *("https://evil.example/", "//evil.example/app/", "/\\evil.example", "\\/evil.example"),
    *("/app/../../evil", "/app//evil.example", "/application", "/appx", "/v1/logout", "/counter/"),
    *("javascript:alert(1)", "/app/x\nset-cookie: a=b", "/app/\x00", "/app/sign-in", "app/", ""),
    *("/app/?next=https://evil.example", "/app/#//evil.example", "/app/@evil.example", "/app/:80"),
)


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_signing_in_leads_back_to_our_own_pages_only(callers: Callers, address: str) -> None:
    answer = await callers.stranger(**HTML).get("/app/sign-in", params={"return_to": address})
    if not address.isprintable():
        assert answer.status_code == 400  # refused before anybody reads it
        return
    assert answer.status_code == 200
    assert 'href="/v1/login?return_to=%2Fapp%2Fnotice"' in answer.text


def test_our_own_pages_are_places_to_come_back_to() -> None:
    own = ("/app", "/app/", "/app/score", "/app/consent/" + "A" * 43, "/app/lookups?outcome=x&a=1")
    assert all(map(is_own_page, own))


async def test_a_fault_is_told_in_words_and_repeats_nothing(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    answer = await me.get("/app/nowhere/secret-word?x=secret-word", headers=HTML)
    assert answer.status_code == 404
    assert_closed(answer)
    assert "secret-word" not in re.sub(r'href="\?[^"]*"', "", answer.text)


async def test_a_refused_sign_in_is_told_on_the_page_for_signing_in(callers: Callers) -> None:
    address = "/v1/login/callback?code=x&state=y"
    plain = await callers.stranger().get(address)
    assert (plain.status_code, plain.json()["type"]) == (400, TYPE_PREFIX + "login-refused")
    refused = await callers.stranger(**HTML).get(address)
    assert refused.status_code == 303
    assert refused.headers["location"] == "/app/sign-in?refused=login-refused"
    assert refused.headers["cache-control"] == "no-store"
    told = await callers.stranger(**HTML).get(refused.headers["location"])
    assert_closed(told)
    assert "登录没有完成" in told.text
    # The other language is the same page, and says the same.
    assert 'href="?refused=login-refused&amp;lang=en"' in told.text
    english = await callers.stranger(**HTML).get(refused.headers["location"] + "&lang=en")
    assert "The sign-in was not finished" in english.text


def test_every_reason_for_a_refused_sign_in_has_words_in_both_languages() -> None:
    assert {f"problem.{slug}" for slug in REFUSALS} <= set(catalogue())


async def test_no_other_word_of_an_address_is_a_refusal(callers: Callers) -> None:
    for word in ("", "not-found", "title", "<b>", "login-refused2"):
        answer = await callers.stranger(**HTML).get("/app/sign-in", params={"refused": word})
        assert answer.status_code == 200
        assert 'role="alert"' not in answer.text


async def test_what_is_no_page_is_shown_and_embedded_by_none(callers: Callers) -> None:
    me = await callers.citizen(await enrolled(callers.town))
    for path in ("/v1/me", "/v1/me/lookups", "/v1/scenarios", "/v1/me/export"):
        headers = (await me.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cross-origin-resource-policy"] == "same-origin", path
    assert (await me.get("/v1/nothing")).headers["x-content-type-options"] == "nosniff"


# ------------------------------------------------------------------ language


async def test_the_language_is_remembered_and_says_nothing_else(callers: Callers) -> None:
    stranger = callers.stranger(**HTML)
    answer = await stranger.get("/app/sign-in?lang=en")
    assert '<html lang="en">' in answer.text
    (cookie,) = answer.headers.get_list("set-cookie")
    assert re.match(r"qianjiang-lang=en; ", cookie)
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    stranger.cookies.set("qianjiang-lang", "en")
    assert '<html lang="en">' in (await stranger.get("/app/sign-in")).text
    assert '<html lang="zh-CN">' in (await stranger.get("/app/sign-in?lang=zh")).text
    assert not (await stranger.get("/app/sign-in?lang=xx")).headers.get_list("set-cookie")


async def test_the_other_language_keeps_the_address(callers: Callers) -> None:
    answer = await callers.stranger(**HTML).get("/app/sign-in?return_to=/app/score")
    assert 'href="?return_to=%2Fapp%2Fscore&amp;lang=en"' in answer.text


# ------------------------------------------------------------------ styles and modules


async def test_assets_are_for_ever_under_their_hash_and_under_no_other(callers: Callers) -> None:
    release = assets().release
    for name, asset in assets().files.items():
        found = await callers.stranger().get(f"/app/static/{release}/{name}")
        assert found.content == asset.plain
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert found.headers["x-content-type-options"] == "nosniff"
        old = await callers.stranger().get(f"/app/static/0000/{name}")
        assert (old.content, old.headers["cache-control"]) == (asset.plain, "no-store")
    for name in ("nothing.js", "..%2f..%2fsettings.py", "%2e%2e", "app.html"):
        assert (await callers.stranger().get(f"/app/static/{release}/{name}")).status_code == 404


async def test_assets_are_packed_for_who_can_unpack(callers: Callers) -> None:
    address = f"/app/static/{assets().release}/app.css"
    plain = await callers.stranger().get(address, headers={"accept-encoding": "identity"})
    packed: Any = await callers.stranger().get(address, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    refused = await callers.stranger().get(address, headers={"accept-encoding": "br, gzip;q=0"})
    assert "content-encoding" not in refused.headers


def test_modules_hold_no_way_from_text_to_markup() -> None:
    for name, asset in assets().files.items():
        if name.endswith(".js"):
            source = re.sub(r"//.*", "", asset.plain.decode())
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function"
                r"|srcdoc|javascript:|\.style\b|setAttribute\([\"']style",
                source,
            ), name
