"""AuthZEN 1.0 (https://openid.net/specs/authorization-api-1_0.html): its addresses and metadata.

Certified levels aimed at: the structure of Basic, Batch, Search for resources and Discovery. There
is no search for subjects (a party may not look for citizens) and none for actions (there is one).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from gateway.city import City
from gateway.edge.access import ACCESS, Access, city_of
from gateway.edge.authzen_route import AuthZenRoute
from gateway.edge.evaluation import EvaluationRoute, EvaluationsRoute
from gateway.edge.resource_search import ResourceSearchRoute

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
SEARCH_RESOURCE = "/access/v1/search/resource"
METADATA = "/.well-known/authzen-configuration"

#: The routes that are answered before the framework.
ROUTES: dict[str, Callable[[City], AuthZenRoute]] = {
    EVALUATION: EvaluationRoute,
    EVALUATIONS: EvaluationsRoute,
    SEARCH_RESOURCE: ResourceSearchRoute,
}


class PdpMetadata(msgspec.Struct, frozen=True):
    """Policy decision point metadata; an endpoint that is not named is not offered."""

    policy_decision_point: str
    access_evaluation_endpoint: str
    access_evaluations_endpoint: str
    search_resource_endpoint: str


@get(METADATA, opt={ACCESS: Access.PUBLIC}, sync_to_thread=False)
def pdp_metadata(request: Request[Any, Any, Any]) -> Response[PdpMetadata]:
    """Where the AuthZEN endpoints are, by the issuer's own address."""
    issuer = city_of(request).settings.issuer
    found = PdpMetadata(
        policy_decision_point=issuer,
        access_evaluation_endpoint=issuer + EVALUATION,
        access_evaluations_endpoint=issuer + EVALUATIONS,
        search_resource_endpoint=issuer + SEARCH_RESOURCE,
    )
    return Response(found, headers={"cache-control": "public, max-age=60"})


HANDLERS: list[HTTPRouteHandler] = [pdp_metadata]
