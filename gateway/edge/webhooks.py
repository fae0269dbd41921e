"""The key that verifies our messages to parties."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.edge.access import ACCESS, Access, city_of
from gateway.webhooks import WebhookKey, webhook_public_jwk

_A_MINUTE = {"cache-control": "public, max-age=60"}


class WebhookKeys(msgspec.Struct, frozen=True):
    """Every key that a message may be signed with (RFC 7517)."""

    keys: list[WebhookKey]


@get("/.well-known/webhook-keys.json", opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def webhook_keys(request: Request[Any, Any, Any]) -> Response[WebhookKeys]:
    """The public keys of webhook signatures (Standard Webhooks `v1a`, Ed25519)."""
    return Response(WebhookKeys([webhook_public_jwk(city_of(request).keys)]), headers=_A_MINUTE)


HANDLERS: list[HTTPRouteHandler] = [webhook_keys]
