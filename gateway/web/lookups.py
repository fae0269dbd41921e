"""Who asked about me: every lookup, live; and one of them with every reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Meta

from gateway.city import City
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.lookup_lines import Line, OutcomeName, line_of, outcome_of
from gateway.errors import Malformed
from gateway.keys import b64url
from gateway.lookup_filter import Choice
from gateway.store.lookup import KINDS, LineKind
from gateway.web import amounts
from gateway.web.catalogue import Language, catalogue, text
from gateway.web.render import PAGE, asked, language_for, page
from scenarios.contract import Outcome

PATH: Final = "/app/lookups"

#: Lookups on a page of the list, as many as it may grow to while it is open, and on the first page
#: of all.
SHOWN: Final = 20
MOST: Final = 60
LATEST: Final = 3

OUTCOMES: Final = ("eligible", "standard_path", "cannot_assess")


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the form of the page says; an empty field says nothing."""

    kind: LineKind | None = None
    scenario: Annotated[str, Meta(max_length=64)] | None = None
    party: Annotated[str, Meta(max_length=200)] | None = None
    outcome: OutcomeName | None = None
    first: date | None = msgspec.field(name="from", default=None)
    last: date | None = msgspec.field(name="to", default=None)

    @classmethod
    def of(cls, query: dict[str, str]) -> Wanted:
        """What an address says.

        Raises:
            Malformed: a field holds what the form does not offer.
        """
        said = {name: value.strip() for name, value in query.items() if value.strip()}
        try:
            return msgspec.convert(said, cls, strict=False)
        except msgspec.ValidationError:
            raise Malformed([("", "a choice is not one that the page offers")]) from None

    @property
    def choice(self) -> Choice:
        """The same, as the list takes it."""
        return Choice(
            kind=self.kind,
            scenario=self.scenario,
            party=self.party,
            outcome=outcome_of(self.outcome) if self.outcome else None,
            first=self.first,
            last=self.last,
        )

    @property
    def query(self) -> str:
        """The same, as part of an address."""
        return urlencode(msgspec.to_builtins(self))


class Shown(msgspec.Struct, frozen=True):
    """Lines of the list, what the list goes on with, and where a stream of them goes on from."""

    lines: list[Line]
    next: str | None
    after: str


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def lookups(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The list: the newest first, told live on its first page."""
    city, query = city_of(request), asked(request)
    wanted, cursor = Wanted.of(query), query.get("cursor") or None
    return page(
        request,
        "lookups.html",
        shown=await shown(city, citizen_of(request), cursor, wanted),
        wanted=wanted,
        first=cursor is None,
        most=MOST,
        act_of=act_in(language_for(request)),
        kinds=KINDS,
        outcomes=OUTCOMES,
        scenarios=[city.registry[name].manifest for name in city.registry],
    )


@get(
    PATH + "/{decision_id:uuid}",
    opt={ACCESS: Access.CITIZEN, PAGE: True},
    include_in_schema=False,
)
async def one(request: Request[Any, Any, Any], decision_id: FromPath[UUID]) -> Response[bytes]:
    """One answer: what was asked, what came of it, and why."""
    city = city_of(request)
    explained = await city.lookups.reasons(decision_id, citizen_of(request))
    record = explained.record
    compiled = city.registry.get(record.scenario)
    manifest = compiled.manifest if compiled else None
    return page(
        request,
        "lookup.html",
        record=record,
        title=manifest.title if manifest else None,
        outcome=Outcome(record.outcome).wire,
        met=[each.clause for each in explained.reasons if each.met],
        unmet=[each.clause for each in explained.reasons if not each.met],
        facts=_facts(city, record.scenario, explained.facts, language_for(request)),
        receipt=b64url(record.receipt),
        revision=b64url(record.revision),
    )


async def shown(
    city: City, citizen: UUID, cursor: str | None, wanted: Wanted, most: int = SHOWN
) -> Shown:
    """Lines of the list. The stream goes on from before they were read: nothing falls between."""
    after = await city.watch.place(citizen)
    found = await city.lookups.page(citizen, cursor, most, wanted.choice.wanted())
    lines = [line_of(city.registry, line) for line in found.lines]
    return Shown(lines, found.next, after.text)


async def latest(city: City, citizen: UUID) -> Shown:
    """The last few lookups, for the first page."""
    return await shown(city, citizen, None, Wanted(), LATEST)


def _facts(
    city: City, scenario: str, sent: dict[str, Any] | None, language: Language
) -> list[tuple[str, str]] | None:
    """What was sent, in the scenario's words where it is still offered; None once it is erased."""
    compiled = city.registry.get(scenario)
    if sent is None or compiled is None:
        return sent if sent is None else [(name, str(value)) for name, value in sent.items()]
    return amounts.facts(compiled.manifest, sent, city.registry, language)


def act_in(language: Language) -> Callable[[str], str]:
    """What says an act of staff in words; one that has none is named as it is recorded."""

    def act_of(action: str) -> str:
        key = f"lookups.act_{action.replace('.', '_')}"
        if key in catalogue():
            return text(language, key)
        return text(language, "lookups.act_other", action=action)

    return act_of


HANDLERS: list[HTTPRouteHandler] = [lookups, one]
