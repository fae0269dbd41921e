"""Pictures of every page, in both languages, light and dark: `make pictures`.

They show what is served: a seeded city, people who do not exist, a real browser. The walks that
lead to a page (an open request, a code on the screen) are those that people would take.
"""

from __future__ import annotations

import base64
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
from playwright.sync_api import Browser, Page, sync_playwright

from gateway.web.catalogue import LANGUAGES, Language
from tests.browser.abroad import TRIPS
from tests.browser.conftest import CHROMIUM, MISSING
from tests.browser.phone import Phone
from tests.browser.site import ROOT, Site, open_site
from tests.browser.till import Till
from tests.pair import Pair, open_pair

Scheme: TypeAlias = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")

#: What leads to a page, given a signed-in phone; it returns the path.
Way: TypeAlias = Callable[[Site, Phone], str]


class Shot(msgspec.Struct, frozen=True):
    """One page: its name in file names, what it must show, and the way to it.

    `shows` are selectors of elements without which the picture would be of something else.
    """

    name: str
    shows: tuple[str, ...]
    way: Way
    signed_in: bool = True
    by_staff: bool = False


def plain(path: str) -> Way:
    """The way to a page that has an address of its own."""
    return lambda _site, _phone: path


def receipt(_site: Site, phone: Phone) -> str:
    """The way to the receipt of the first promise."""
    held = phone.page.request.get("/v1/me/commitments").json()["commitments"]
    return f"/app/commitments/{held[0]['id']}"


def stopping(_site: Site, phone: Phone) -> str:
    """The way to stopping the device that signed."""
    held = phone.page.request.get("/v1/me/devices").json()["devices"]
    return f"/app/devices/{held[0]['id']}/stop"


def printed(site: Site, _phone: Phone) -> str:
    """The way behind a device's printed code."""
    link = next(desk.link for desk in site.up.desks if desk.link)
    return link.removeprefix(site.base_url)


def to_a_lookup(site: Site, _phone: Phone) -> str:
    """The way to an answer about the persona of the pictures."""
    subject = site.subject("lin", "example-bikes")
    return f"/app/lookups/{site.ask('example-bikes', 'rent', subject, staff='desk-3')}"


def asked(party: str, scenario: str, purpose: str) -> Way:
    """The way to a party's request, made anew for each picture's walk."""

    def way(site: Site, _phone: Phone) -> str:
        number = f"album-{secrets.token_hex(8)}"
        link: str = site.ask_consent(party, scenario, purpose, number)["link"]
        return link.removeprefix(site.base_url)

    return way


SHOTS: Final[tuple[Shot, ...]] = (
    Shot("sign-in", ("h1", "a.button", ".ticks li"), plain("/app/sign-in"), signed_in=False),
    Shot("notice", (".text p", "form button", "fieldset"), plain("/app/notice?again=1")),
    Shot("home", ("h1", ".figure .score", "nav.tabs"), plain("/app/")),
    Shot("data", ("dl", "#correction", "form button"), plain("/app/data")),
    Shot("correction", (".lines a",), plain("/app/data/correction")),
    Shot("correction-new", ("textarea", "form button"), plain("/app/data/correction?about=other")),
    Shot("closure", ("#part-kept", ".card p"), plain("/app/data/closure")),
    Shot("goodbye", (".hero h1",), plain("/app/goodbye"), signed_in=False),
    Shot("score", (".scale .here", ".bars svg", ".lines b"), plain("/app/score")),
    Shot("promises", ("section.card .tag", "summary"), plain("/app/commitments")),
    Shot("promise", ("#text-zh", "#sign button"), plain("/app/commitments/new?scenario=rent")),
    Shot("receipt", ("dl code", "#check"), receipt),
    Shot("devices", ("[data-kid] h2", "#lost"), plain("/app/devices")),
    Shot("stop-device", ("#promises .tag", "#stop button"), stopping),
    Shot("scenarios", ("#scenarios h2", ".tag.good", "#q"), plain("/app/scenarios")),
    Shot("scenario", (".party form button", ".ticks li"), plain("/app/scenarios/rent")),
    Shot(
        "consent-request",
        ("#grant button", "#until", ".answers li"),
        asked("example-costumes", "rent", "deposit_free_rental"),
    ),
    Shot(
        "separate-consent",
        (".special h2", "a.button"),
        asked("example-hospital-two", "hospital", "pay_after_treatment"),
    ),
    Shot("consents", (".consent .choices button", ".tag.good"), plain("/app/consents")),
    Shot("code", ("#qr img", "#left"), plain("/app/code")),
    Shot("scan", ("#start", "#number"), plain("/app/scan")),
    Shot("desk", ("dl dd", "form[data-follows] button"), printed),
    Shot("lookup", ("[aria-labelledby=met] li", "[aria-labelledby=facts] dd", "code"), to_a_lookup),
    Shot("counter-sign-in", ("#login", "form button"), plain("/counter/sign-in"), signed_in=False),
    Shot("counter-second", ("#code", "form button"), plain("/counter/second"), signed_in=False),
    Shot("counter", ("#start", ".money", "#send"), plain("/counter/"), by_staff=True),
    Shot("counter-enrol", ("h1", "#no-link .alert"), plain("/counter/enrol"), signed_in=False),
    Shot("assisted", ("h1", "main a"), plain("/counter/assisted"), by_staff=True),
    Shot(
        "assisted-new",
        ("h1", "main input"),
        plain("/counter/assisted/new?scenario=rent"),
        by_staff=True,
    ),
    Shot(
        "assisted-back",
        ("h1", "main input"),
        plain("/counter/assisted/back?scenario=rent"),
        by_staff=True,
    ),
    Shot(
        "assisted-return",
        ("h1", "main input"),
        plain("/counter/assisted/return?scenario=rent"),
        by_staff=True,
    ),
    Shot("counter-today", ("h1", ".card"), plain("/counter/today"), by_staff=True),
    Shot("counter-desk", ("dl dd", ".danger"), plain("/counter/desk"), by_staff=True),
    Shot("lookups", ("#lookups li .tag", "details summary", "a[download]"), plain("/app/lookups")),
)


class View(msgspec.Struct, frozen=True):
    """A page that is open and shows what it must."""

    name: str
    language: Language
    scheme: Scheme
    page: Page


def walk(
    browser: Browser,
    site: Site,
    pair: Pair,
    schemes: Iterable[Scheme] = SCHEMES,
    languages: Iterable[Language] = LANGUAGES,
    **context: Any,
) -> Iterator[View]:
    """Open one page after the other; `context` is the phone's, such as another size.

    Raises:
        playwright.sync_api.Error: a page does not show what it must.
    """
    for scheme in schemes:
        given = {"color_scheme": scheme, "device_scale_factor": 1} | context
        guest, owner, clerk = (Phone(browser, site, **given) for _ in range(3))
        owner.sign_in("lin")
        Till(clerk, site, "example-hotel").sign_in()
        for shot in SHOTS:
            phone = clerk if shot.by_staff else owner if shot.signed_in else guest
            path = shot.way(site, phone)
            for language in languages:
                _open(phone.page, path, language, shot.shows)
                yield View(shot.name, language, scheme, phone.page)
        traveller = Phone(browser, pair.a, **given)
        for trip in TRIPS:
            path = trip.way(pair, traveller)
            for language in languages:
                _open(traveller.page, path, language, trip.shows)
                yield View(trip.name, language, scheme, traveller.page)
        for phone in (guest, owner, clerk, traveller):
            phone.context.close()
            assert phone.faults == []


def _open(page: Page, path: str, language: Language, shows: Iterable[str]) -> None:
    page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
    for selector in shows:
        page.locator(selector).first.wait_for(state="visible")


def take(
    browser: Browser,
    site: Site,
    pair: Pair,
    folder: Path,
    schemes: Iterable[Scheme] = SCHEMES,
    languages: Iterable[Language] = LANGUAGES,
) -> list[Path]:
    """Take the pictures into a folder: `<page>-<language>-<scheme>.webp`."""
    taken = []
    for view in walk(browser, site, pair, schemes=schemes, languages=languages):
        taken.append(folder / f"{view.name}-{view.language}-{view.scheme}.webp")
        _photograph(view.page, taken[-1])
    return taken


def _photograph(page: Page, file: Path) -> None:
    """The whole page as WebP, its bar of places at the end and not across the middle."""
    page.evaluate("document.querySelector('.tabs')?.classList.add('still')")
    width, height = page.evaluate(
        "[innerWidth, Math.min(document.documentElement.scrollHeight, 2400)]"
    )
    session = page.context.new_cdp_session(page)
    taken = session.send(
        "Page.captureScreenshot",
        {
            "format": "webp",
            "quality": 60,
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
        },
    )
    session.detach()
    file.write_bytes(base64.b64decode(taken["data"]))


def main(folder: Path) -> None:
    """Take all of them, from a city of its own."""
    if CHROMIUM is None:
        raise SystemExit(MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        tempfile.TemporaryDirectory() as cities,
        open_site(Path(data)) as site,
        open_pair(Path(cities)) as pair,
    ):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM)
            taken = take(browser, site, pair, folder)
    print(f"{len(taken)} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images" / "pages")
