"""The printed receipt of assisted service: what was agreed or taken back, and how to go on.

The person keeps the paper, the city keeps the SHA-256 of its exact bytes. It lists what was agreed
and never what was refused, and it names no person: lost, it tells nobody whose it was.
"""

from __future__ import annotations

import hashlib
import tomllib
from base64 import b32encode
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from typing import Any
from uuid import UUID

import msgspec

from gateway.assisted.attendant import Attendant
from gateway.assisted.texts import ReadText, Remit
from gateway.clock import SHANGHAI, from_us
from gateway.consent_notice import Words
from gateway.ids import Ids
from gateway.settings import Settings

GIVEN = ("score_authorisation", "consent", "commitment")
TAKEN_BACK = ("score_withdrawal", "consent_withdrawal", "commitment_withdrawal")

_TEXTS = ("documents", "merits")
_RULE = "-" * 40


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done at a desk: an act of `assisted_act`, and what it was done to."""

    id: UUID
    act: str
    target: UUID | None = None
    version: int | None = None
    text: ReadText | None = None
    until_us: int | None = None
    left_out: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True):
    """A receipt to print: `sha256` is of the UTF-8 bytes of `text`."""

    number: str
    text: str
    sha256: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt is made of."""

    attendant: Attendant
    remit: Remit
    document: str
    at_us: int
    done: tuple[Done, ...]


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """The receipt's words: by key, and `documents` and `merits` by theirs."""
    raw = resources.files("gateway.texts").joinpath("receipt.toml").read_text("utf-8")
    return {
        key: {name: Words(**each) for name, each in value.items()}
        if key in _TEXTS
        else Words(**value)
        for key, value in tomllib.loads(raw).items()
    }


def printed(settings: Settings, sheet: Sheet, ids: Ids) -> Receipt:
    """A receipt under a fresh number."""
    number = _number(sheet.at_us, ids)
    text = "\n".join(
        [*_page(settings, sheet, number, "zh"), _RULE, *_page(settings, sheet, number, "en")]
    )
    text += "\n"
    return Receipt(number, text, hashlib.sha256(text.encode()).hexdigest())


def _number(at_us: int, ids: Ids) -> str:
    """A number that people can read to each other: the day, and forty random bits."""
    drawn = b32encode(ids.random_bytes(5)).decode("ascii")
    return f"{from_us(at_us).astimezone(SHANGHAI):%Y%m%d}-{drawn[:4]}-{drawn[4:]}"


def _page(settings: Settings, sheet: Sheet, number: str, language: str) -> Iterator[str]:
    say = _Speaker(language)
    yield from _head(say, sheet, number)
    recipient = sheet.remit.registration.recipient
    given = [done for done in sheet.done if done.act in GIVEN]
    taken = [done for done in sheet.done if done.act in TAKEN_BACK]
    if given:
        yield from ("", say("agreed"))
    for place, done in enumerate(given, 1):
        yield from ("", f"{place}. " + say.agreed(done, recipient.name, recipient.contact))
        yield from say.text(done)
    if taken:
        yield from ("", say("withdrawn"))
    for done in taken:
        yield f"- {say(done.act, recipient=recipient.name)}"
    yield from ("", say("back") if given else say("seen"))
    if given:
        yield say("seen")
    yield say("contact", city=settings.city_name, contact=settings.city_contact)


def _head(say: _Speaker, sheet: Sheet, number: str) -> Iterator[str]:
    title = sheet.remit.scenario.manifest.title
    yield say("title")
    yield say("number", number=number)
    yield say("at", at=_moment(sheet.at_us))
    yield say("place", place=sheet.attendant.place)
    yield say("party", party=sheet.remit.party.name)
    yield say("staff", staff=sheet.attendant.name)
    yield say("document", document=say.of("documents", sheet.document))
    yield say("scenario", title=getattr(title, say.language))


class _Speaker:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **values: str) -> str:
        template: str = getattr(words()[key], self.language)
        return template.format_map(values)

    def of(self, group: str, key: str) -> str:
        """A word of a group."""
        word: str = getattr(words()[group][key], self.language)
        return word

    def agreed(self, done: Done, recipient: str, contact: str) -> str:
        """The heading of what was agreed to."""
        assert done.text is not None, "what was agreed to has words"
        until = _moment(done.until_us) if done.until_us is not None else ""
        values = {"recipient": recipient, "contact": contact, "until": until}
        return self(done.act, version=done.text.version, **values)

    def text(self, done: Done) -> Iterator[str]:
        """The words themselves, and the hash of the binding ones."""
        assert done.text is not None, "what was agreed to has words"
        text: str = getattr(done.text, self.language)
        yield text.strip()
        if done.act == "score_authorisation":
            yield self("score_unless")
        if done.left_out:
            kinds = "、" if self.language == "zh" else ", "
            yield self(
                "left_out", kinds=kinds.join(self.of("merits", each) for each in done.left_out)
            )
        yield self("text_sha256", sha256=done.text.sha256)


def _moment(moment_us: int) -> str:
    return f"{from_us(moment_us).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
