"""Somebody's browser at one city: it reads and writes as that city's pages do."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from gateway.local.players.stage import Refused


class Account:
    """A session of a browser at a city.

    Args:
        browser: whose cookies hold the session; one browser may have sessions at several cities.
        base_url: the city's origin.
    """

    def __init__(self, browser: httpx.Client, base_url: str) -> None:
        self._browser, self.base_url = browser, base_url
        self._csrf = ""

    def read(self, path: str) -> dict[str, Any]:
        """What is at a path of the city."""
        return wanted(self._browser.get(self.base_url + path))

    def write(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Post to a path of the city, once: with its origin, the session's token, and a key."""
        self._csrf = self._csrf or self.read("/v1/me")["csrf_token"]
        headers = {
            "origin": self.base_url,
            "x-csrf-token": self._csrf,
            "idempotency-key": f'"{uuid.uuid4().hex}"',
        }
        return wanted(self._browser.post(self.base_url + path, json=body, headers=headers))


def through_form(browser: httpx.Client, address: str, login: str) -> httpx.Response:
    """Sign in at the identity provider to which an address leads; the page at the end of it."""
    form = browser.get(address, follow_redirects=True)
    if "<form" not in form.text:
        raise Refused(f"no form to sign in at {form.url.path}: {form.status_code}")
    page = browser.post(form.url, data={"login": login}, follow_redirects=True)
    if page.status_code == 403 and page.url.path == form.url.path:
        raise Refused(f"nobody signs in as {login!r} at {form.url.host}:{form.url.port}")
    return page


def wanted(answer: httpx.Response, status: int | None = None) -> dict[str, Any]:
    """The JSON document of an answer that is a success, or of this very status.

    Raises:
        Refused: it is not; the message says what the city answered.
    """
    if not (answer.is_success if status is None else answer.status_code == status):
        raise Refused(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    document: dict[str, Any] = answer.json() if answer.content else {}
    return document
