"""Every page with large type and enlarged, on the smallest phone: nothing cut off, axe at 0."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.album import walk
from tests.browser.phone import LEAST, assert_accessible, assert_whole
from tests.browser.site import Site
from tests.pair import Pair


@pytest.mark.timeout(300)
def test_every_page_is_whole_with_type_of_twice_the_size_and_at_half_the_width(
    browser: Browser, site: Site, pair: Pair
) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10; in English, whose words are the longer ones."""
    for view in walk(browser, site, pair, schemes=["light"], languages=["en"], viewport=LEAST):
        type_of(view.page, "200%")
        assert_accessible(view.page)
        type_of(view.page, "")
        # A telephone of 390 px at 200 % zoom.
        view.page.set_viewport_size({"width": 195, "height": 422})
        assert_whole(view.page)
        view.page.set_viewport_size({"width": LEAST["width"], "height": LEAST["height"]})


def type_of(page: Page, size: str) -> None:
    """Through the object model, which the policy allows: the page's own files set no such style."""
    page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
