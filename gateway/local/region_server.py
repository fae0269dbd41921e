"""The region's one address: its trust list, signed anew for each request. NOT FOR PRODUCTION."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from litestar import Litestar, Response, get
from litestar.datastructures import State

from gateway.clock import SystemClock
from gateway.local.region import LIST, LocalRegion

#: Where the server finds its folder.
FOLDER_VARIABLE: Final = "QIANJIANG_REGION_FOLDER"

APP: Final = "gateway.local.region_server:create_app"


@get(LIST, sync_to_thread=False)
def trust_list(state: State) -> Response[str]:
    """The list, signed anew."""
    region: LocalRegion = state.region
    return Response(
        region.publish(),
        headers={"cache-control": "no-store"},
        media_type="application/trust-list+jwt",
    )


def create_app() -> Litestar:
    """The region's one address, from QIANJIANG_REGION_FOLDER."""
    return build_app(LocalRegion(Path(os.environ[FOLDER_VARIABLE]), SystemClock()))


def build_app(region: LocalRegion) -> Litestar:
    """The region's application."""
    return Litestar(
        [trust_list], state=State({"region": region}), openapi_config=None, logging_config=None
    )
