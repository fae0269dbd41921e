"""Serving a person without a phone, as staff do: a document, three texts, a receipt, a question."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gateway.local.people import person, person_of_login
from tests.browser.phone import LEAST, Phone, assert_accessible
from tests.browser.site import Site
from tests.gateway.counter.till import code_of

Phones = Callable[..., Phone]
PARTY = "example-bikes"
START = "/counter/assisted"


def at_the_counter(phones: Phones, site: Site, **context: Any) -> Page:
    """A signed-in member of the party's staff, at the page for people without a phone."""
    made = phones(**context)
    account = next(each for each in site.up.staff if each.party == PARTY)
    made.context.add_cookies([site.staff_session(account)])
    made.page.goto(START)
    return made.page
