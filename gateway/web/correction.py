"""Asking for a correction: first of what, then in which words.

The address says which fact by its place in the list: what the record is called is about a person
and stays out of addresses.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.corrections import OPEN_MAX, WORKING_DAYS, AboutLookup, NamedFact
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.errors import NotFound
from gateway.scores import scale_on, today
from gateway.web.data import PATH as DATA
from gateway.web.render import PAGE, asked, page
from scoring.words import Words

PATH: Final = DATA + "/correction"


class Choice(msgspec.Struct, frozen=True):
    """A fact on file as it can be chosen: its place, what it says, and its names."""

    place: int
    words: Words
    department: Words
    fact: NamedFact


@get(PATH, opt={ACCESS: Access.CITIZEN, PAGE: True}, include_in_schema=False)
async def correction(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What is wrong; or, once that is chosen, the form."""
    wanted = asked(request)
    if "lookup" in wanted:
        return await _lookup(request, wanted["lookup"])
    choices = await _choices(request)
    if "fact" in wanted:
        return _form(request, kind="fact", choice=_chosen(choices, wanted["fact"]))
    if wanted.get("about") in ("identity", "other"):
        return _form(request, kind=wanted["about"])
    person = await city_of(request).citizens.person(citizen_of(request))
    return page(
        request,
        "correction.html",
        choices=choices,
        visitor=person.home is not None,
        most=OPEN_MAX,
        days=WORKING_DAYS,
    )


async def _lookup(request: Request[Any, Any, Any], text: str) -> Response[bytes]:
    try:
        about = AboutLookup(UUID(text))
    except ValueError:
        raise NotFound from None
    if not await city_of(request).corrections.knows(citizen_of(request), about):
        raise NotFound
    return _form(request, kind="lookup", lookup=about.id)


async def _choices(request: Request[Any, Any, Any]) -> list[Choice]:
    """The facts on file in the catalogue's words."""
    city = city_of(request)
    facts = await city.corrections.facts(citizen_of(request))
    catalogue = scale_on(today(city.clock)).catalogue
    choices = []
    for place, fact in enumerate(facts):
        entry = catalogue.entries.get((fact.department, fact.code))
        words = Words(entry.zh, entry.en) if entry else Words(fact.code, fact.code)
        plain = Words(fact.department, fact.department)
        department = catalogue.departments.get(fact.department, plain)
        choices.append(Choice(place, words, department, fact))
    return choices


def _chosen(choices: list[Choice], place: str) -> Choice:
    if not (place.isascii() and place.isdigit() and len(place) < 5 and int(place) < len(choices)):
        raise NotFound
    return choices[int(place)]


def _form(
    request: Request[Any, Any, Any],
    *,
    kind: str,
    choice: Choice | None = None,
    lookup: UUID | None = None,
) -> Response[bytes]:
    return page(
        request,
        "correction_new.html",
        kind=kind,
        choice=choice,
        lookup=lookup,
        days=WORKING_DAYS,
        then=DATA + "#correction",
    )


HANDLERS: list[HTTPRouteHandler] = [correction]
