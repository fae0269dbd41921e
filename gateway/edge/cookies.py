"""Cookies as all of ours are set: for our own host, out of every script's reach."""

from __future__ import annotations

from typing import Literal

from litestar.datastructures import Cookie

from gateway.sessions import cookie_name
from gateway.settings import Settings


def cookie(
    settings: Settings,
    what: str,
    value: str,
    life_s: int,
    *,
    same_site: Literal["lax", "strict"] = "lax",
) -> Cookie:
    """A cookie by what it is for (`cookie_name`); a life of 0 seconds takes it away.

    Lax where people come from another site, as they do from the identity provider; else strict.
    """
    return Cookie(
        key=cookie_name(settings, what),
        value=value,
        max_age=life_s,
        path="/",
        httponly=True,
        samesite=same_site,
        secure=not settings.allow_loopback_http,
    )
