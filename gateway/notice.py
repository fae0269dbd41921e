"""What a citizen reads before the score is first computed or shown (PIPL 17), with its hash.

The text is package data with the city's own name and contact filled in. An authorisation names
version and hash, so that it is always known which very words were agreed to; a city that changes
its contact asks again (PIPL 14).
"""

from __future__ import annotations

import tomllib
from importlib import resources

import msgspec

from gateway.settings import Settings
from scenarios.manifest import text_sha256


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the things that a notice must say."""

    id: str
    zh: str
    en: str


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The notice as shown. The Chinese text is the binding one."""

    version: str
    items: tuple[Item, ...]

    @property
    def zh(self) -> str:
        """The Chinese text, one item a line."""
        return "\n".join(item.zh for item in self.items)

    @property
    def en(self) -> str:
        """The English text, one item a line."""
        return "\n".join(item.en for item in self.items)

    @property
    def sha256(self) -> bytes:
        """SHA-256 over version, a line feed and the Chinese text, as of every text to agree to."""
        return text_sha256(self.version, self.zh)


def load_notice(settings: Settings, name: str = "notice") -> Notice:
    """The notice of this city, or another text of the same form."""
    raw = resources.files("gateway.texts").joinpath(f"{name}.toml").read_text("utf-8")
    plain = msgspec.convert(tomllib.loads(raw), Notice)
    words = {"handler": settings.city_name, "contact": settings.city_contact}
    items = tuple(
        Item(item.id, item.zh.format_map(words), item.en.format_map(words)) for item in plain.items
    )
    return Notice(plain.version, items)
