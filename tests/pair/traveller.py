"""Somebody's browser, which goes between cities."""

from __future__ import annotations

import httpx

from gateway.ids import SystemIds
from tests.pair.sides import Side


class Traveller:
    """Somebody's browser: one jar of cookies, any number of cities. Redirects are not followed."""

    def __init__(self) -> None:
        self.http = httpx.Client(timeout=10)
        self._csrf: dict[str, str] = {}

    def sign_in(self, side: Side, login: str, return_to: str = "/v1/me") -> httpx.Response:
        """The way of a login: to the identity provider, through its form, and back."""
        begun = self.http.get(f"{side.base_url}/v1/login", params={"return_to": return_to})
        assert begun.status_code == 303, begun.text
        return self.through_form(begun.headers["location"], login)

    def through_form(self, address: str, login: str) -> httpx.Response:
        """Through the identity provider's form at this address; the answer of the city's callback,
        whose own redirect is not yet followed."""
        back = self.http.post(address, data={"login": login})
        assert back.status_code == 303, back.text
        return self.http.get(back.headers["location"])

    def get(self, side: Side, path: str) -> httpx.Response:
        """Read as a page does."""
        return self.http.get(f"{side.base_url}{path}")

    def post(self, side: Side, path: str, content: object = None, **headers: str) -> httpx.Response:
        """Write as a page does: its origin, the session's CSRF token, a key of its own."""
        own = {
            "origin": side.base_url,
            "x-csrf-token": self._token(side),
            "idempotency-key": f'"{SystemIds().token()}"',
        }
        body = {} if content is None else content
        return self.http.post(f"{side.base_url}{path}", json=body, headers=own | headers)

    def _token(self, side: Side) -> str:
        me = self.get(side, "/v1/me")
        return str(me.json()["csrf_token"]) if me.status_code == 200 else ""

    def __enter__(self) -> Traveller:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
