"""Every page with type of twice the size on the smallest phone: nothing cut off, axe at 0."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.album import walk
from tests.browser.phone import LEAST, assert_accessible, assert_whole
from tests.browser.site import Site
from tests.pair import Pair


@pytest.mark.timeout(300)
def test_every_page_is_whole_with_type_of_twice_the_size(
    browser: Browser, site: Site, pair: Pair
) -> None:
    """WCAG 2.2, 1.4.4 and 1.4.10; in English, whose words are the longer ones."""
    for view in walk(browser, site, pair, schemes=["light"], languages=["en"], viewport=LEAST):
        # Through the object model, which the policy allows: the page's own files set no such style.
        view.page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert_accessible(view.page)


@pytest.mark.timeout(300)
def test_every_page_is_whole_at_half_the_width(browser: Browser, site: Site, pair: Pair) -> None:
    """A telephone of 390 px at 200 % zoom."""
    narrow = {"width": 195, "height": 422}
    for view in walk(browser, site, pair, schemes=["light"], languages=["en"], viewport=narrow):
        assert_whole(view.page)
