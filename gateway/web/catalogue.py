"""The words of pages in both languages, read once: `texts/<area>.toml` beside this file.

A text is named `area.key`. Chinese is the language that people meet first and the binding one.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Final, Literal, TypeAlias

import msgspec

Language: TypeAlias = Literal["zh", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

#: What `lang` attributes say (RFC 5646).
TAGS: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages; `{name}` in it is a value given by the page."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """The text in one of them."""
        return self.zh if language == "zh" else self.en


def language_of(word: str | None) -> Language:
    """The language that a cookie or a query asks for; Chinese where it asks for none of ours."""
    return "en" if word == "en" else "zh"


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Words]:
    """Every text of every area, under `area.key`."""
    found: dict[str, Words] = {}
    for file in resources.files("gateway.web.texts").iterdir():
        if file.name.endswith(".toml"):
            area = file.name.removesuffix(".toml")
            texts = msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, Words])
            found |= {f"{area}.{key}": words for key, words in texts.items()}
    return found


def text(language: Language, key: str, /, **values: object) -> str:
    """A text in a language with its values filled in.

    Where `n` is 1 and there is a text `<key>_one`, that one.

    Raises:
        KeyError: there is no such text, or it needs a value that is not given.
    """
    if values.get("n") == 1 and f"{key}_one" in catalogue():
        key = f"{key}_one"
    return catalogue()[key].in_language(language).format_map(values)
