"""`python -m loadtest.peers`: every peer for some seconds, its rate and its CPU per request.

A look, not a measurement: one round each, nothing paired. It fails where a peer decides wrongly.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from gateway.local.city import LocalCity
from loadtest.closed import generate
from loadtest.peers import PEERS, Site, Started


def main() -> None:
    """Run the peers, all or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.peers", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(peer.name for peer in PEERS))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--citizens", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qianjiang-peers-") as name:
        folder = Path(name)
        with LocalCity(folder / "city") as engines:
            subjects = tuple(f"subject-{n:035}" for n in range(given.citizens))
            site = Site(
                postgres=engines.postgres,
                valkey=engines.valkey,
                folder=folder,
                subjects=subjects,
                workers=given.workers,
            )
            _look(site, given)
        engines.places.remove()  # as root the engines' files lie outside the folder


def _look(site: Site, given: argparse.Namespace) -> None:
    print(f"{'peer':16}{'draw':9}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}   CPU µs a request")
    for peer in PEERS:
        if given.names and peer.name not in given.names:
            continue
        if reason := peer.missing():
            print(f"{peer.name:16}left out: {reason}")
            continue
        with peer.start(site) as started:
            started.check()
            for distribution in ("uniform", "zipf") if started.plan.subjects else ("uniform",):
                _round(peer.name, started, distribution, given)


def _round(name: str, started: Started, distribution: str, given: argparse.Namespace) -> None:
    plan = msgspec.structs.replace(
        started.plan,
        distribution=distribution,
        connections=given.connections,
        seconds=given.seconds,
    )
    before = started.spent()
    result: dict[str, Any] = generate(plan)
    after = started.spent()
    count = max(result["answers"], 1)
    each = {part: (after[part] - before[part]) / count * 1e6 for part in after}
    wrong = {status: n for status, n in result["statuses"].items() if status != 200}
    print(
        f"{name:16}{distribution:9}{result['per_second']:8.0f}{result['p50_ms']:8.1f}"
        f"{result['p99_ms']:8.1f}   " + ", ".join(f"{part} {us:.0f}" for part, us in each.items()),
        f"not answered with 200: {wrong}" if wrong else "",
    )


if __name__ == "__main__":
    main()
