"""Values as people read them: money, moments and days, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime

from gateway.clock import SHANGHAI, from_us
from gateway.web.catalogue import Language


def money(fen: int) -> str:
    """An amount of fen as yuan: `¥1,234.50`; whole yuan without the fen."""
    yuan, rest = divmod(abs(fen), 100)
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{yuan:,}" + (f".{rest:02}" if rest else "")


def capital(words: str) -> str:
    """Words as they stand by themselves: the first letter is a capital, where there are such."""
    return words[:1].upper() + words[1:]


def signed(points: int) -> str:
    """Points with their sign; none has no sign."""
    return f"{points:+d}" if points else "0"


def day(when: date | datetime | int | str, language: Language) -> str:
    """A calendar day in Hangzhou; a number is microseconds since the epoch, a text RFC 3339."""
    local = _local(when)
    if language == "zh":
        return f"{local.year}年{local.month}月{local.day}日"
    return f"{local.day} {local:%b} {local.year}"


def moment(when: datetime | int | str, language: Language) -> str:
    """A day and the time of day in Hangzhou, to the second."""
    local = _local(when)
    assert isinstance(local, datetime), "a moment has a time of day"
    return f"{day(local, language)} {local:%H:%M:%S}"


def _local(when: date | datetime | int | str) -> date | datetime:
    if isinstance(when, int):
        when = from_us(when)
    elif isinstance(when, str):
        when = datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)
    return when.astimezone(SHANGHAI) if isinstance(when, datetime) else when
