"""Between two cities by their pages, as people go: Ningbo is home, Hangzhou is visited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from playwright.sync_api import Page, expect

from tests.browser.phone import Phone
from tests.pair import Pair


def set_out(page: Page, pair: Pair, login: str, *scenarios: str) -> None:
    """From Hangzhou's page to Ningbo's, signed in there afresh: the request is shown."""
    page.goto(f"{pair.a.base_url}/app/visit?lang=zh")
    for scenario in scenarios or ("library",):
        page.locator(f"input[value={scenario}]").check()
    page.get_by_role("button", name="去宁波").click()
    page.wait_for_url(f"{pair.b.identity_url}/**")
    page.locator("input[name=login]").fill(login)
    page.locator("button").first.click()
    page.wait_for_url(f"{pair.b.base_url}/app/recognition/*")


def allow(page: Page) -> None:
    """Consent to what is shown, separately."""
    page.locator("#allow button:not([form])").click()


def arrived(page: Page, pair: Pair) -> None:
    """In Hangzhou, as a visitor."""
    page.wait_for_url(f"{pair.a.base_url}/app/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("来自宁波")


def visit(page: Page, pair: Pair, login: str, *scenarios: str) -> None:
    """The whole way in."""
    set_out(page, pair, login, *scenarios)
    allow(page)
    arrived(page, pair)


class Trip(msgspec.Struct, frozen=True):
    """A page on the way: its name in file names, what it must show, and the way to it, which
    returns the address."""

    name: str
    shows: tuple[str, ...]
    way: Callable[[Pair, Phone], str]


def _asked(pair: Pair, phone: Phone) -> str:
    set_out(phone.page, pair, pair.b.person(band=4), "library", "rent")
    return phone.page.url


def _visiting(pair: Pair, phone: Phone) -> str:
    visit(phone.page, pair, pair.b.person(band=4), "library", "rent")
    return f"{pair.a.base_url}/app/"


TRIPS: Final[tuple[Trip, ...]] = (
    Trip("visit", ("#visit button", ".ticks li"), lambda pair, _: f"{pair.a.base_url}/app/visit"),
    Trip("arrival", ("#anew a",), lambda pair, _: f"{pair.a.base_url}/app/visit/arrive"),
    Trip("recognition", (".special dd", "#allow button", "#allow .text"), _asked),
    Trip("visitor", ("#visit .tag.good", "#visit .lines a", "nav.tabs"), _visiting),
    Trip(
        "recognitions",
        (".tag.good", "button.danger"),
        lambda pair, _: f"{pair.b.base_url}/app/recognitions",
    ),
)
"""Each after the one before it, by one phone: who visits is also recognised at home."""
