"""Words that people read, in the two languages that every text of the city has."""

from __future__ import annotations

import msgspec


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in Chinese and in English; the Chinese one is the authoritative one."""

    zh: str
    en: str
