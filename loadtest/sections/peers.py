"""Decisions beside what people use today, everything on the same cores, in alternation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import msgspec

from loadtest.accounts import Account, counted
from loadtest.closed import Contender, Round, alternate
from loadtest.options import Options
from loadtest.peers import PEERS, Site, Started
from loadtest.popularity import Distribution
from loadtest.serving import Progress
from loadtest.town import open_town

OURS, CERBOS, CONVENTIONAL = "ours", "cerbos", "conventional"
RIVALS = (CERBOS, CONVENTIONAL)
UNIFORM: Distribution = "uniform"
ZIPF: Distribution = "zipf"


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds by distribution, then by contender; `absent` says who could not come and why."""

    connections: int
    subjects: int
    what: dict[str, str]
    rounds: dict[str, dict[str, list[Round]]]
    absent: dict[str, str]
    accounts: list[Account]


def measure(options: Options, progress: Progress) -> Peers:
    """Bring everybody up and ask all in turn, first of all alike and then by a power law."""
    drawn = [each for each in (UNIFORM, ZIPF) if each in options.distributions]
    connections = options.few_connections
    absent = {peer.name: why for peer in PEERS if peer.name in RIVALS and (why := peer.missing())}
    with open_town(options, progress) as town, ExitStack() as stack:
        rivals = dict(_rivals(stack, town.site(options.workers), absent))
        contenders = [
            contender
            for each in drawn
            for contender in (
                town.contender(f"{OURS}, {each}", connections, each),
                *_of(rivals, connections, each),
            )
        ]
        rounds = alternate(contenders, options, progress)
        progress("every answered id has one row?")
        mine = [one for each in drawn for one in rounds[f"{OURS}, {each}"]]
        return Peers(
            connections=connections,
            subjects=len(town.subjects),
            what={peer.name: peer.what for peer in PEERS},
            rounds={
                each: {name: rounds[f"{name}, {each}"] for name in (OURS, *rivals)}
                for each in drawn
            },
            absent=absent,
            accounts=[counted("peers: ours", mine, connections), town.audit("peers, afterwards")],
        )


def _rivals(stack: ExitStack, site: Site, absent: dict[str, str]) -> Iterator[tuple[str, Started]]:
    for peer in PEERS:
        if peer.name in RIVALS and peer.name not in absent:
            started = stack.enter_context(peer.start(site))
            started.check()
            yield peer.name, started


def _of(
    rivals: dict[str, Started], connections: int, distribution: Distribution
) -> Iterator[Contender]:
    for name, started in rivals.items():
        yield started.contender(f"{name}, {distribution}", connections, distribution)
