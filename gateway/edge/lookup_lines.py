"""The lines of "who asked about me", as every way of reading them tells them."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from gateway.clock import rfc3339
from gateway.store import lookup as rows
from scenarios.contract import Outcome
from scenarios.registry import Registry


class PartyQuestion(msgspec.Struct, frozen=True, tag_field="kind", tag="question", kw_only=True):
    """A party's question about the citizen."""

    at: str
    decision_id: UUID
    scenario: str
    title: str
    title_en: str
    party: str
    staff: str | None
    reference: str | None
    outcome: str
    delivered: bool


class SearchedScenario(msgspec.Struct, frozen=True):
    """A scenario whose rule a search asked, and whether it was open to the citizen."""

    scenario: str
    title: str
    title_en: str
    eligible: bool


class PartySearch(msgspec.Struct, frozen=True, tag_field="kind", tag="search", kw_only=True):
    """A party's search for the scenarios that are open to the citizen."""

    at: str
    search_id: UUID
    party: str
    staff: str | None
    reference: str | None
    scenarios: tuple[SearchedScenario, ...]
    delivered: bool


class StaffAccess(msgspec.Struct, frozen=True, tag_field="kind", tag="staff", kw_only=True):
    """An act of the city's staff that read or changed the citizen's data."""

    at: str
    access_id: UUID
    staff: str
    purpose: str
    action: str


class AssistedService(msgspec.Struct, frozen=True, tag_field="kind", tag="assisted", kw_only=True):
    """What staff at a party's counter did for the citizen, who was there without a phone."""

    at: str
    act_id: UUID
    act: str
    scenario: str
    title: str
    title_en: str
    purpose: str
    party: str
    staff: str
    place: str
    receipt_no: str | None
    """The number on the printed receipt; null where the person was only looked up."""


Line = PartyQuestion | PartySearch | StaffAccess | AssistedService

#: An outcome as it is written.
OutcomeName = Literal["eligible", "standard_path", "cannot_assess"]


def outcome_of(name: OutcomeName) -> Outcome:
    """The outcome of this name."""
    return Outcome[name.upper()]


def line_of(registry: Registry, line: rows.Line) -> Line:
    """A line as it is told."""
    match line:
        case rows.StaffAct():
            return StaffAccess(
                at=rfc3339(line.at_us),
                access_id=line.id,
                staff=line.staff,
                purpose=line.purpose,
                action=line.action,
            )
        case rows.AssistedAct():
            return _assisted(registry, line)
        case rows.Search():
            return PartySearch(
                at=rfc3339(line.at_us),
                search_id=line.id,
                party=line.party,
                staff=line.staff,
                reference=line.reference,
                scenarios=tuple(
                    SearchedScenario(name, *_title(registry, name), eligible)
                    for name, eligible in line.scenarios
                ),
                delivered=line.delivered,
            )
    title, title_en = _title(registry, line.scenario)
    return PartyQuestion(
        at=rfc3339(line.at_us),
        decision_id=line.id,
        scenario=line.scenario,
        title=title,
        title_en=title_en,
        party=line.party,
        staff=line.staff,
        reference=line.reference,
        outcome=Outcome(line.outcome).wire,
        delivered=line.delivered,
    )


def _assisted(registry: Registry, line: rows.AssistedAct) -> AssistedService:
    title, title_en = _title(registry, line.scenario)
    return AssistedService(
        at=rfc3339(line.at_us),
        act_id=line.id,
        act=line.act,
        scenario=line.scenario,
        title=title,
        title_en=title_en,
        purpose=line.purpose,
        party=line.party,
        staff=line.staff,
        place=line.place,
        receipt_no=line.receipt_no,
    )


def _title(registry: Registry, scenario: str) -> tuple[str, str]:
    """In Chinese and English."""
    title = registry.title(scenario)
    return title.zh, title.en
