"""The route table of an application, as rows that tests walk: new routes come by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from gateway.app import Front
from gateway.edge import authzen
from gateway.edge.access import ACCESS, Access
from gateway.edge.headers import HeaderGuard
from tests.gateway.apps import app_of
from tests.gateway.city import TestCity

HOT = "/v1/scenarios/{scenario}/eligibility"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

#: What stands for each path parameter where a test needs some address of the route.
ANY = {"scenario": "rent", "token": "A" * 43, "list_id": "1"}


class Row(msgspec.Struct, frozen=True, order=True):
    """One operation: how it is called and who may."""

    path: str  # as the contract writes it: `/v1/things/{thing}`
    method: str
    access: Access | None
    hot: bool = False

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    def at(self, values: Mapping[str, str] = ANY) -> str:
        """An address of the route; ids that are not given are ones that nobody has."""
        given = dict.fromkeys(self.parameters, str(UUID(int=7))) | dict(values)
        return self.path.format_map(given)


def framework_of(town: TestCity) -> Litestar:
    """The framework inside the application's own layers."""
    app = app_of(town.city)
    assert isinstance(app, HeaderGuard)
    front = app._app
    assert isinstance(front, Front)
    return front.framework


def rows_of(framework: Litestar) -> list[Row]:
    """Every operation that somebody wrote; the framework's own OPTIONS answers are not."""
    found = [
        Row(route.path_format, method, handler.opt.get(ACCESS))
        for route in framework.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if not handler.fn.__module__.startswith("litestar.")
    ]
    hot = [Row(path, "POST", Access.PARTY, hot=True) for path in (HOT, *authzen.ROUTES)]
    return sorted([*found, *hot])


def undeclared(rows: list[Row]) -> list[str]:
    """The routes that say nothing about access."""
    return [f"{row.method} {row.path}" for row in rows if row.access not in set(Access)]
