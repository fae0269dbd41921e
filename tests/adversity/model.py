"""The protocol as a small machine of atomic steps, for walking through every order of them.

A reader takes six steps: read the cache, read PostgreSQL if that was a miss, fill, decide, commit,
answer. A commit that finds its premise stale returns the true one, from which the reader decides
again; what further tries it needs happen together with its answer, three in all. A writer commits
and, in its second step if it is given one, tells the cache; a one-step writer is cut off from it.

Three things must hold in every order: a reader answers with a value that PostgreSQL held at some
instant between its first step and its last (so W and G: never an older one); what it answers is
recorded; and a record is true at the instant it is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

TRIES = 3
READER_STEPS = 6


class Entry(NamedTuple):
    """A version of the standing, and whether the consent is open in it."""

    version: int
    opens: bool


class Reader(NamedTuple):
    """A lookup on its way."""

    step: int = 0
    held: Entry | None = None
    cached: Entry | None = None  # the cache entry that `held` came from
    recorded: Entry | None = None
    tried: int = 0
    possible: frozenset[bool] = frozenset()
    answer: bool | None = None


class World(NamedTuple):
    """Everything at one instant; an actor is an index into readers, then writers."""

    stored: Entry
    cache: Entry | None
    readers: tuple[Reader, ...]
    writers: tuple[int, ...]  # steps that each has taken
    told: tuple[Entry | None, ...]  # what each has committed and not yet told


class Rules(NamedTuple):
    """The protocol, or one with a rule taken out."""

    predicate: bool = True
    check_before: bool = False  # in the step before the commit
    answer_first: bool = False  # the last two steps change places


class Model:
    """So many readers and writers; the writers close and open the consent in turn."""

    def __init__(self, rules: Rules, *, readers: int = 2, writers: int = 2, tell: bool = False):
        self.rules = rules
        self.writer_steps = 2 if tell else 1
        self.readers, self.writers = readers, writers

    def start(self, cached: Entry | None) -> World:
        """An open consent, and some cache."""
        nothing: tuple[Entry | None, ...] = (None,) * self.writers
        return World(
            Entry(2, True), cached, (Reader(),) * self.readers, (0,) * self.writers, nothing
        )

    def ready(self, world: World) -> Iterator[int]:
        """Whoever has a step left."""
        for index, reader in enumerate(world.readers):
            if reader.step < READER_STEPS:
                yield index
        for index, steps in enumerate(world.writers):
            if steps < self.writer_steps:
                yield self.readers + index

    def step(self, world: World, actor: int) -> tuple[World, str]:
        """The world after an actor's next step, and what is wrong with it ("" = nothing)."""
        if actor >= self.readers:
            return self._write(world, actor - self.readers), ""
        reader = world.readers[actor]
        if reader.step == 0:
            reader = reader._replace(possible=frozenset([world.stored.opens]))
        world, reader, fault = self._read(world, reader)
        reader = reader._replace(step=reader.step + 1)
        readers = (*world.readers[:actor], reader, *world.readers[actor + 1 :])
        return world._replace(readers=readers), fault

    def _write(self, world: World, writer: int) -> World:
        done = world.writers[writer]
        writers = (*world.writers[:writer], done + 1, *world.writers[writer + 1 :])
        if done:
            fresh = world.told[writer]
            assert fresh is not None
            return world._replace(writers=writers, cache=offered(world.cache, fresh, None))
        stored = Entry(world.stored.version + 1, opens=writer % 2 == 1)
        readers = tuple(
            reader._replace(possible=reader.possible | {stored.opens})
            if 0 < reader.step < READER_STEPS
            else reader
            for reader in world.readers
        )
        told = (*world.told[:writer], stored, *world.told[writer + 1 :])
        return world._replace(stored=stored, readers=readers, writers=writers, told=told)

    def _read(self, world: World, reader: Reader) -> tuple[World, Reader, str]:
        step = reader.step
        if step == 0:
            return world, reader._replace(held=world.cache, cached=world.cache), ""
        if step == 1:
            return world, reader if reader.held else reader._replace(held=world.stored), ""
        if step == 2:
            if reader.cached is None and reader.held is not None:
                world = world._replace(cache=offered(world.cache, reader.held, None))
            return world, reader, ""
        if step == 3:
            if self.rules.check_before:
                reader = reader._replace(held=world.stored)
            return world, reader, ""
        if (step == 4) != self.rules.answer_first:
            return self._commit(world, reader)
        return self._answer(world, reader)

    def _commit(self, world: World, reader: Reader) -> tuple[World, Reader, str]:
        """One statement: recorded, or the true standing comes back and heals the cache."""
        blind = self.rules.check_before or not self.rules.predicate
        reader = reader._replace(tried=reader.tried + 1)
        if blind or reader.held == world.stored:
            true = reader.held == world.stored
            return world, reader._replace(recorded=reader.held), "" if true else "T"
        world = world._replace(cache=offered(world.cache, world.stored, reader.cached))
        return world, reader._replace(held=world.stored), ""

    def _answer(self, world: World, reader: Reader) -> tuple[World, Reader, str]:
        faults = ""
        if not self.rules.answer_first:
            while reader.recorded is None and reader.tried < TRIES:
                world, reader, fault = self._commit(world, reader)
                faults += fault
        assert reader.held is not None
        reader = reader._replace(answer=reader.held.opens)
        if reader.recorded is None:
            faults += "R"
        if reader.answer not in reader.possible:
            faults += "W" if reader.answer else "G"
        return world, reader, faults


def offered(held: Entry | None, fresh: Entry, wrong: Entry | None) -> Entry:
    """The cache after an offer: the newer one, or the fresh one in place of what is wrong."""
    if held is not None and held != wrong and held.version >= fresh.version:
        return held
    return fresh


class Found(NamedTuple):
    """How many orders there are, and the letters of the properties broken in any of them."""

    orders: int
    broken: frozenset[str]


def walk(model: Model, world: World) -> Found:
    """Every order from here, one by one."""
    orders, broken = 0, set[str]()
    paths = [world]
    while paths:
        here = paths.pop()
        ends = True
        for actor in model.ready(here):
            ends = False
            there, fault = model.step(here, actor)
            broken.update(fault)
            paths.append(there)
        orders += ends
    return Found(orders, frozenset(broken))


def walk_states(model: Model, world: World) -> Found:
    """Every order from here, where worlds that are equal are gone on from once: for many steps."""

    @cache
    def beyond(here: World) -> Found:
        orders, broken = 0, frozenset[str]()
        for actor in model.ready(here):
            there, fault = model.step(here, actor)
            found = beyond(there)
            orders += found.orders
            broken |= found.broken | frozenset(fault)
        return Found(orders or 1, broken)

    return beyond(world)
