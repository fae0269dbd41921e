"""A decision beside what a server and a framework charge for nothing, in paired rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import msgspec

from loadtest.accounts import Account, counted
from loadtest.closed import Contender, Round, alternate
from loadtest.options import Options
from loadtest.peers import PEERS, Site
from loadtest.serving import Progress
from loadtest.town import Town, open_town

#: The floors, each at the same number of connections as the decisions.
BARE_GET, BARE_POST, FRAMEWORK, HELLO = FLOORS = (
    *("bare GET", "bare POST", "litestar @asgi", "hello"),
)
UNIFORM, ZIPF = "decision, uniform", "decision, zipf"
#: The same two at fewer connections: batches are smaller, and so is what they save.
HELLO_FEW, UNIFORM_FEW = "hello, fewer connections", "decision, fewer connections"


class Pairs(msgspec.Struct, frozen=True, kw_only=True):
    """Rounds by contender; those of one number ran one after the other."""

    connections: int
    few_connections: int
    rounds: dict[str, list[Round]]
    accounts: list[Account]


def measure(options: Options, progress: Progress) -> Pairs:
    """Bring a town and the floors up and ask all in turn."""
    with open_town(options, progress) as town, ExitStack() as stack:
        site = town.site(options.workers)
        contenders = [*_floors(stack, site, options), *_decisions(town, options)]
        rounds = alternate(contenders, options, progress)
        progress("every answered id has one row?")
        return Pairs(
            connections=options.connections,
            few_connections=options.few_connections,
            rounds=rounds,
            accounts=[*_accounts(rounds, options), town.audit("pairs, afterwards")],
        )


def _floors(stack: ExitStack, site: Site, options: Options) -> Iterator[Contender]:
    peers = {peer.name: peer for peer in PEERS}
    for name in FLOORS:
        started = stack.enter_context(peers[name].start(site))
        started.check()
        yield started.contender(name, options.connections)
        if name == HELLO and options.few_connections < options.connections:
            yield started.contender(HELLO_FEW, options.few_connections)


def _decisions(town: Town, options: Options) -> Iterator[Contender]:
    yield town.contender(UNIFORM, options.connections)
    if options.few_connections < options.connections:
        yield town.contender(UNIFORM_FEW, options.few_connections)
    if "zipf" in options.distributions:
        yield town.contender(ZIPF, options.connections, "zipf")


def _accounts(rounds: Mapping[str, Sequence[Round]], options: Options) -> Iterator[Account]:
    for name in (UNIFORM, ZIPF, UNIFORM_FEW):
        if name in rounds:
            yield counted(f"pairs: {name}", rounds[name], options.connections)
