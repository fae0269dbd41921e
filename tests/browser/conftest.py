"""`site`: a running city for the whole run. `phone(login=None)`: a phone, signed in where a login
is given. `browser`: Debian's Chromium, found on PATH.

A machine without a browser is told so and the tests are skipped; in CI that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.phone import Phone
from tests.browser.site import Site, open_site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = (
    "no Chromium on PATH: the pages are not tested in a browser; install it with"
    " `apt-get install chromium fonts-noto-cjk`"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, started once for a file: for as long as it is there, its driver's event loop
    runs in this thread, and no asynchronous test of another file can."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)  # a user's machine may do without; CI fails above
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A seeded city."""
    with open_site(tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Callable[..., Phone]]:
    """Makes phones; what went wrong in any of them fails the test when it ends."""
    phones: list[Phone] = []

    def make(login: str | None = None, **context: object) -> Phone:
        made = Phone(browser, site, **context)
        phones.append(made)
        if login is not None:
            made.sign_in(login)
        return made

    yield make
    for each in phones:
        each.context.close()
    assert [fault for each in phones for fault in each.faults] == []
