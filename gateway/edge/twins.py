"""Handlers with the faces of the routes that are answered before the framework.

They are described in the contract (gateway/edge/contract.py) and never called. What the hot routes
decode and encode piece by piece stands here as whole structs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from gateway.city import City
from gateway.edge import authzen
from gateway.edge.access import ACCESS, Access
from gateway.edge.answer import Policy
from gateway.edge.authzen_wire import ITEMS_MAX, Options
from gateway.edge.eligibility import PREFIX, SUFFIX, question_type
from gateway.edge.evaluation import ItemError
from gateway.edge.resource_search import Page
from scenarios.manifest import Obligation

#: The facts by name, and `qianjiang` for what is ours; other members are ignored.
Context = dict[str, Any] | UnsetType


class Freshness(msgspec.Struct, frozen=True):
    """How old what the answer rests on may be. Consent is never older than `decided_at`."""

    score_as_of: date | None
    decided_at: datetime


class EligibilityAnswer(msgspec.Struct, frozen=True):
    """All that a party learns of a citizen; every citizen-side `standard_path` reads alike."""

    decision_id: UUID
    outcome: Literal["eligible", "standard_path", "cannot_assess"]
    obligations: tuple[Obligation, ...]
    valid_until: datetime
    policy: Policy
    freshness: Freshness
    receipt: str


class CitizenEntity(msgspec.Struct, frozen=True):
    """The citizen, by the name that the gateway gave this recipient."""

    type: Literal["citizen"]
    id: str


class ScenarioEntity(msgspec.Struct, frozen=True):
    """A scenario."""

    type: Literal["scenario"]
    id: str


class ScenarioType(msgspec.Struct, frozen=True):
    """Scenarios, whichever."""

    type: Literal["scenario"]


class UseAction(msgspec.Struct, frozen=True):
    """The one action."""

    name: Literal["use"]


class EvaluationRequest(msgspec.Struct, frozen=True):
    """May this citizen use this scenario now?"""

    subject: CitizenEntity
    action: UseAction
    resource: ScenarioEntity
    context: Context = UNSET


class EvaluationItem(msgspec.Struct, frozen=True):
    """One of several; what it does not name is the request's own."""

    subject: CitizenEntity | UnsetType = UNSET
    action: UseAction | UnsetType = UNSET
    resource: ScenarioEntity | UnsetType = UNSET
    context: Context = UNSET


class EvaluationsRequest(EvaluationItem, frozen=True):
    """Several evaluations and their defaults; without any it is a single one."""

    evaluations: Annotated[list[EvaluationItem], Meta(max_length=ITEMS_MAX)] | UnsetType = UNSET
    options: Options | UnsetType = UNSET


class EvaluationDecision(msgspec.Struct, frozen=True):
    """True for `eligible` alone."""

    decision: bool
    context: EligibilityAnswer


class ItemContext(msgspec.Struct, frozen=True):
    """All members of a single answer, or else `error` alone."""

    error: ItemError | UnsetType = UNSET
    decision_id: UUID | UnsetType = UNSET
    outcome: Literal["eligible", "standard_path", "cannot_assess"] | UnsetType = UNSET
    obligations: tuple[Obligation, ...] | UnsetType = UNSET
    valid_until: datetime | UnsetType = UNSET
    policy: Policy | UnsetType = UNSET
    freshness: Freshness | UnsetType = UNSET
    receipt: str | UnsetType = UNSET


class ItemDecision(msgspec.Struct, frozen=True):
    """The answer to one item of a batch."""

    decision: bool
    context: ItemContext


class Decisions(msgspec.Struct, frozen=True):
    """The answers in the order of their items; fewer where a semantic ended early. A request
    without items is answered with a single decision."""

    evaluations: list[ItemDecision]


class ResourceSearchRequest(msgspec.Struct, frozen=True):
    """Which scenarios may this citizen use now? `page` is accepted and ignored."""

    subject: CitizenEntity
    action: UseAction
    resource: ScenarioType
    context: Context = UNSET


class SearchFacts(msgspec.Struct, frozen=True):
    """What holds for the search as a whole."""

    search_id: UUID
    cannot_assess: list[str]
    valid_until: datetime
    freshness: Freshness
    receipt: str


class ResourceSearchResult(msgspec.Struct, frozen=True):
    """The scenarios that are open, all of them; `context` is left out where nothing was searched:
    the subject is none of this recipient's, or a type is unknown."""

    page: Page
    results: list[ScenarioEntity]
    context: SearchFacts | UnsetType = UNSET


def twins(city: City) -> list[HTTPRouteHandler]:
    """A handler for each of the hot routes."""

    async def eligibility(scenario: FromPath[str], data: Any) -> EligibilityAnswer:
        """May this consenting citizen have this benefit, now?"""
        raise _NeverCalled

    async def evaluation(data: JSONBody[EvaluationRequest]) -> EvaluationDecision:
        """May this consenting citizen have this benefit, now? (AuthZEN 1.0)"""
        raise _NeverCalled

    async def evaluations(data: JSONBody[EvaluationsRequest]) -> Decisions | EvaluationDecision:
        """Several questions at once (AuthZEN 1.0)."""
        raise _NeverCalled

    async def search_resource(data: JSONBody[ResourceSearchRequest]) -> ResourceSearchResult:
        """Which scenarios are open to this consenting citizen, now? (AuthZEN 1.0)"""
        raise _NeverCalled

    # One member for each scenario, known at run time alone.
    question = reduce(or_, [question_type(city.registry[name]) for name in city.registry])
    json_body: Any = JSONBody
    eligibility.__annotations__["data"] = json_body[question]
    return [
        _twin(PREFIX + "{scenario:str}" + SUFFIX, eligibility),
        _twin(authzen.EVALUATION, evaluation, authzen=True),
        _twin(authzen.EVALUATIONS, evaluations, authzen=True),
        _twin(authzen.SEARCH_RESOURCE, search_resource, authzen=True),
    ]


def _twin(path: str, face: Callable[..., Any], **opt: bool) -> HTTPRouteHandler:
    return post(path, opt={ACCESS: Access.PARTY, **opt}, status_code=200)(face)


class _NeverCalled(AssertionError):
    """The hot routes answer before the framework."""
