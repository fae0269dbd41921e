"""What keeping my word gave me, on the page of the score."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.phone import LEAST, Phone, assert_accessible
from tests.browser.site import Site

Phones = Callable[..., Phone]


@pytest.mark.parametrize(
    ("login", "total", "kept", "still_open"),
    [("lin", "¥1,398", "¥1,398", "¥0"), ("yang", "¥900", "¥0", "¥900")],
)
def test_the_page_says_in_yuan_what_is_on_file(
    phone: Phones, login: str, total: str, kept: str, still_open: str
) -> None:
    page = phone(login, viewport=LEAST).page
    page.goto("/app/score")
    card = page.locator("[aria-labelledby=benefits]")
    expect(card).to_contain_text(f"守信让您少交了 {total} 押金")
    expect(card.locator("dd")).to_have_text([kept, still_open])
    card.locator("summary").click()
    expect(card.locator(".lines li").first).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # the bar at the bottom cuts through whatever lies there
    assert_accessible(page)
    page.goto("/app/score?lang=en")
    expect(card).to_contain_text(f"spared you {total} in deposits")


def test_who_has_none_is_told_so_and_no_sum_is_made_up(phone: Phones, site: Site) -> None:
    page = phone(site.stranger()).page
    page.goto("/app/score")
    card = page.locator("[aria-labelledby=benefits]")
    expect(card).to_contain_text("还没有免押金的记录")
    assert "¥" not in card.inner_text()
    assert_accessible(page)
