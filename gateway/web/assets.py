"""Styles and modules: read once, served from memory under the hash of all of them.

A page names the hash, so what was fetched under it stays good for ever, and modules that import
each other by relative addresses are always of one release.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from gateway.edge.access import ACCESS, Access
from gateway.errors import NotFound

PREFIX: Final = "/app/static"

_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}
#: gzip is named, and not with a weight of nothing (RFC 9110 12.5.3).
_UNPACKS: Final = re.compile(r"(?:\A|[\s,])gzip\s*(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|\Z))(?:;|,|\Z)")
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct, frozen=True):
    """One file as it is sent."""

    media_type: str
    plain: bytes
    packed: bytes


class Assets(msgspec.Struct, frozen=True):
    """All of them, and the hash that names them together."""

    release: str
    files: dict[str, Asset]


@lru_cache(maxsize=1)
def assets() -> Assets:
    """The files of `static/`."""
    files, told = {}, hashlib.sha256()
    folder = resources.files("gateway.web").joinpath("static")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        media_type = _TYPES.get(file.name.rpartition(".")[2])
        if media_type is None:
            continue
        plain = file.read_bytes()
        told.update(f"{file.name} {len(plain)}\n".encode() + plain)
        files[file.name] = Asset(media_type, plain, gzip.compress(plain, 9, mtime=0))
    return Assets(told.hexdigest()[:16], files)


def address(name: str) -> str:
    """Where a file of `static/` is served.

    Raises:
        KeyError: there is no such file.
    """
    known = assets()
    known.files[name]
    return f"{PREFIX}/{known.release}/{name}"


@get(
    PREFIX + "/{release:str}/{name:str}",
    opt={ACCESS: Access.PUBLIC},
    include_in_schema=False,
    sync_to_thread=False,
)
def asset(
    request: Request[Any, Any, Any], release: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A style or a module; of another release it is answered, and kept by nobody."""
    known = assets()
    found = known.files.get(name)
    if found is None:
        raise NotFound
    packed = _UNPACKS.search(request.headers.get("accept-encoding", "")) is not None
    headers = {
        "cache-control": _FOR_EVER if release == known.release else "no-store",
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
    }
    if packed:
        headers["content-encoding"] = "gzip"
    body = found.packed if packed else found.plain
    return Response(body, headers=headers, media_type=found.media_type)


HANDLERS: list[HTTPRouteHandler] = [asset]
