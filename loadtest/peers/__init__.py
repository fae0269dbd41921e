"""What a decision is measured against: services that people use today, and the floor below them.

Each peer starts in a `with` block and hands out a plan for wrk or the open loop, and the process
ids whose CPU it costs. `python -m loadtest.peers` runs each for some seconds.
"""

from __future__ import annotations

from loadtest.peers.cerbos.peer import Cerbos
from loadtest.peers.conventional.peer import Conventional
from loadtest.peers.peer import Peer, Site, Started, WrongAnswer
from loadtest.peers.served import Served

__all__ = ["PEERS", "Peer", "Site", "Started", "WrongAnswer"]

_BARE, _FRAMEWORK = "loadtest.peers.bare:create_app", "loadtest.peers.framework:create_app"

PEERS: tuple[Peer, ...] = (
    Served(
        name="bare GET",
        what="the server and a bare ASGI handler, JSON of 440 bytes out: the floor",
        app=_BARE,
        method="GET",
    ),
    Served(
        name="bare POST",
        what="the same, with the body of a question read and thrown away",
        app=_BARE,
        method="POST",
    ),
    Served(
        name="litestar @asgi",
        what="the same POST through Litestar's routing, with a raw ASGI handler",
        app=_FRAMEWORK,
        method="POST",
    ),
    Served(
        name="hello",
        what="Litestar's typed GET with a Struct of two fields: what a framework charges for hello",
        app="loadtest.baseline:create_app",
        method="GET",
        yes=b'"hello"',
    ),
    Cerbos(),
    Conventional(),
)
