"""What a citizen reads before consenting: to whom, for what, which answer, how long (PIPL 17, 23).

Made of the scenario's manifest and of the rows of recipient and party; no word of it comes from
the request, so a party cannot write into its own notice.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from gateway.clock import DAY_US
from gateway.settings import Settings
from scenarios.compiler import Compiled
from scenarios.manifest import Text
from scenarios.registry import Registry


class Words(msgspec.Struct, frozen=True):
    """The same in both languages; the Chinese text is the binding one."""

    zh: str
    en: str


class Handler(msgspec.Struct, frozen=True):
    """Somebody who handles personal information, and how to reach them."""

    name: str
    contact: str


class Receiver(msgspec.Struct, frozen=True):
    """The legal entity that would receive the answer, with its own public promise."""

    name: str
    contact: str
    promise: str


class Asker(msgspec.Struct, frozen=True):
    """The party that asks; it may act for the recipient."""

    name: str
    kind: str
    city: str | None
    """GB/T 2260 code, where it is another city."""


class Field(msgspec.Struct, frozen=True):
    """One thing that the recipient would learn."""

    id: str
    text: Words


class ConsentText(msgspec.Struct, frozen=True):
    """The words that are consented to; `sha256` is what a grant must name."""

    version: str
    sha256: str
    zh: str
    en: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What every notice tells, in whatever form it is shown."""

    handler: Handler
    recipient: Receiver
    asked_by: Asker
    title: Words
    summary: Words
    purpose: str
    learns: tuple[Field, ...]
    answers: dict[str, Words]
    """The very answers that can be disclosed, by their names on the wire."""
    separate: bool
    """The law wants a consent of its own for this (PIPL 23, 29)."""
    longest_days: int
    """A consent is for so many days, or for fewer if the citizen says so."""
    text: ConsentText
    refusing: Words
    withdrawing: Words
    keeping: Words


class Notice(Told, frozen=True, kw_only=True):
    """The whole notice of one request. `longest_until_us` is UTC."""

    scenario: str
    longest_until_us: int
    frequency_per_day: int | None

    def told(self) -> dict[str, Any]:
        """What is told in every form, by name."""
        return {name: getattr(self, name) for name in Told.__struct_fields__}


_FIELDS = {
    "answer": Words(
        "一个答案，以及只在该机构有效的您的代号",
        "One answer, and a code name for you that is valid at this recipient only",
    ),
}
_REFUSING = Words(
    "不同意也可以使用服务，按普通方式办理，没有任何其他影响。",
    "You can use the service without consenting, the ordinary way; nothing else follows.",
)
_WITHDRAWING = Words(
    "您随时可以查看每一次查询，暂停、恢复或撤回这份同意，或申请更正。"
    "撤回后新的查询立即不再使用这份同意，已经给出的答案最多还有一分钟有效。",
    "At any time you can see every question, pause, resume or withdraw this consent, or ask for a "
    "correction. A withdrawal binds every new question at once; an answer already given is good "
    "for at most a minute.",
)
_KEEPING = Words(
    "查询记录依法保存十年（《浙江省公共信用信息管理条例》第二十条）。"
    "同意结束后，接收方应当删除您的信息；法律要求保存的，只作保存（《个人信息保护法》第四十七条）。",
    "The record of questions is kept for ten years as the law demands (Zhejiang regulation on "
    "public credit information, article 20). When the consent ends the recipient deletes what it "
    "has about you, or stores it only where a law says so (PIPL article 47).",
)


class Asks(Protocol):
    """Between whom a consent would be, in the words of their own rows: a request, or a desk."""

    @property
    def purpose(self) -> str: ...
    @property
    def recipient_name(self) -> str: ...
    @property
    def recipient_contact(self) -> str: ...
    @property
    def recipient_promise(self) -> str: ...
    @property
    def party_name(self) -> str: ...
    @property
    def party_kind(self) -> str: ...
    @property
    def party_city(self) -> str | None: ...


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """The same, put together from several rows."""

    purpose: str
    recipient_name: str
    recipient_contact: str
    recipient_promise: str
    party_name: str
    party_kind: str
    party_city: str | None


def notice(settings: Settings, compiled: Compiled, request: Asks, now_us: int) -> Notice:
    """The notice of a request, as shown at an instant (microseconds, UTC)."""
    manifest = compiled.manifest
    consent = manifest.consent
    return Notice(
        handler=Handler(settings.city_name, settings.city_contact),
        recipient=Receiver(
            request.recipient_name, request.recipient_contact, request.recipient_promise
        ),
        asked_by=Asker(request.party_name, request.party_kind, request.party_city),
        scenario=manifest.id,
        title=_words(manifest.title),
        summary=_words(manifest.summary),
        purpose=request.purpose,
        learns=tuple(Field(name, _FIELDS.get(name, Words(name, name))) for name in consent.fields),
        answers=_answers(manifest.title),
        separate=consent.separate,
        longest_until_us=now_us + consent.max_duration_days * DAY_US,
        longest_days=consent.max_duration_days,
        frequency_per_day=consent.frequency_per_day,
        text=ConsentText(consent.version, consent.text_sha256.hex(), consent.zh, consent.en),
        refusing=_REFUSING,
        withdrawing=_WITHDRAWING,
        keeping=_KEEPING,
    )


def title_of(registry: Registry, scenario: str) -> Words:
    """What a scenario is called, on the wire."""
    return _words(registry.title(scenario))


def _answers(title: Text) -> dict[str, Words]:
    return {
        "eligible": Words(f"可以享受“{title.zh}”", f"“{title.en}” is open to you"),
        "standard_path": Words("按普通方式办理", "The ordinary way applies"),
        "cannot_assess": Words(
            "机构提供的信息不足，无法判断（与您无关）",
            "What the organisation sent did not suffice (nothing about you)",
        ),
    }


def _words(text: Text) -> Words:
    return Words(text.zh, text.en)
