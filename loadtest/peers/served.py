"""Peers without a decision: an application on the same server, with the gateway's own flags."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from gateway import server
from gateway.local.processes import answers, free_port
from loadtest.peers.peer import HOST, ROOT, Site, Started, plan_at

_PATH = "/answer"
_FACTS = '{"deposit_fen":20000,"rent_fen_per_day":500,"due_at":"2026-12-02T12:00:00+08:00"}'


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One application, asked with GET, or with POST and a body as long as a question's."""

    name: str
    what: str
    app: str
    method: str
    yes: bytes = b'"outcome":"eligible"'
    """What is in its answer."""

    def missing(self) -> str:
        """Nothing is: it comes with the gateway."""
        return ""

    @contextmanager
    def start(self, site: Site) -> Iterator[Started]:
        """Serve it."""
        port = free_port(HOST)
        with site.processes() as processes:
            child = processes.start(
                self.name.replace(" ", "-"),
                server.command(HOST, port, site.workers, self.app),
                environment={"PYTHONPATH": str(ROOT)},
                ready=answers(HOST, port, _PATH),
            )
            subjects = site.subjects if self.method == "POST" else ()
            plan = plan_at(port, _PATH, facts=_FACTS, subjects=subjects)
            yield Started(plan=plan, roots={"server": child.pid}, yes=self.yes)
