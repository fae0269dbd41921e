"""Cerbos as its documentation shows it: policies on disk, every decision in a log file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from gateway.local.processes import answers, free_ports
from loadtest.generator import SUBJECT
from loadtest.peers.cerbos import binary
from loadtest.peers.peer import HOST, Site, Started, plan_at

_PATH = "/api/check/resources"
_POLICIES = Path(__file__).parent / "policies"


class Cerbos:
    """The policy engine behind its HTTP API, on all cores that there are."""

    name = "cerbos"
    what = (
        f"Cerbos {binary.VERSION} (Go), four conditions over attributes that the caller sends with"
        " each request: no token is verified and nothing is looked up. Each decision goes to a log"
        " file, which is not synced to disk. Its own log is quiet, policies are not watched."
    )

    def missing(self) -> str:
        """Why its program cannot be had here."""
        return binary.missing()

    @contextmanager
    def start(self, site: Site) -> Iterator[Started]:
        """Serve the policy.

        Raises ChildFailed, and NotFetched where the program cannot be had.
        """
        http_port, grpc_port = free_ports([HOST, HOST])
        file = site.folder / "cerbos.json"  # JSON is YAML
        file.write_bytes(msgspec.json.encode(_configuration(site.folder, http_port, grpc_port)))
        line = [str(binary.program()), "server", f"--config={file}", "--log-level=warn"]
        with site.processes() as processes:
            child = processes.start(
                self.name,
                line,
                environment={"CERBOS_NO_TELEMETRY": "1"},
                ready=answers(HOST, http_port, "/_cerbos/health"),
            )
            yield Started(
                plan=plan_at(
                    http_port,
                    _PATH,
                    body=_body(),
                    subjects=[_resource(name, band=4) for name in site.subjects],
                ),
                roots={"server": child.pid},
                yes=b'"EFFECT_ALLOW"',
                ordinary=_resource("nobody", band=2),
            )


def _configuration(folder: Path, http_port: int, grpc_port: int) -> dict[str, Any]:
    return {
        "server": {
            "httpListenAddr": f"{HOST}:{http_port}",
            "grpcListenAddr": f"{HOST}:{grpc_port}",
        },
        "storage": {
            "driver": "disk",
            "disk": {"directory": str(_POLICIES), "watchForChanges": False},
        },
        "audit": {
            "enabled": True,
            "accessLogsEnabled": False,
            "decisionLogsEnabled": True,
            "backend": "file",
            "file": {"path": str(folder / "cerbos-decisions.log")},
        },
        "telemetry": {"disabled": True},
    }


def _body() -> str:
    return (
        '{"requestId":"bench","principal":{"id":"bench-merchant","roles":["merchant"]},'
        '"resources":[{"actions":["waive_deposit"],"resource":' + SUBJECT + "}]}"
    )


def _resource(subject: str, band: int) -> str:
    now = datetime.now(UTC)
    attributes = {
        "band": band,
        "commitment": True,
        "waived_fen": 0,
        "deposit_fen": 20_000,
        "consent": {
            "status": "active",
            "from": now - timedelta(hours=1),
            "to": now + timedelta(days=1),
        },
    }
    return msgspec.json.encode({"kind": "rent", "id": subject, "attr": attributes}).decode()
