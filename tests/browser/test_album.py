"""The pictures of the documentation can be taken, and each shows its page's content."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from gateway.web import pages
from gateway.web.render import PAGE
from tests.browser.abroad import TRIPS
from tests.browser.album import SHOTS, take
from tests.browser.site import ROOT, Site
from tests.pair import Pair

#: Pages that only lead on, or are other pages in another state.
NOT_PICTURED: set[str] = set()


@pytest.mark.nightly  # by day test_large_type.py walks over the same pages, and looks for the same
def test_every_page_has_a_picture_that_shows_its_content(
    browser: Browser, site: Site, pair: Pair, tmp_path: Path
) -> None:
    taken = take(browser, site, pair, tmp_path, schemes=["light"], languages=["zh"])
    assert len(taken) == len(SHOTS) + len(TRIPS)
    assert all(file.stat().st_size > 5_000 for file in taken)


def test_the_documentation_has_each_in_both_languages_and_schemes() -> None:
    folder = ROOT / "docs" / "images" / "pages"
    wanted = {
        f"{name}-{language}-{scheme}.webp"
        for name in [*(shot.name for shot in SHOTS), *(trip.name for trip in TRIPS)]
        for language in ("zh", "en")
        for scheme in ("light", "dark")
    }
    assert {file.name for file in folder.iterdir()} == wanted


def test_no_page_is_without_a_picture() -> None:
    named = {path for handler in pages.HANDLERS if handler.opt.get(PAGE) for path in handler.paths}
    assert len(named - NOT_PICTURED) <= len(SHOTS) + len(TRIPS)
