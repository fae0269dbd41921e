"""Natural batching: one call in flight, the next takes what has gathered meanwhile.

The same mechanism serves the cache's MGET, the loader behind it and the group commit. A batch is
closed before it is sent and nobody joins an open one, so whatever a batch reads was read after
each of its items arrived. Under light load a batch is one item and nothing waits; under heavy
load it grows by itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from gateway.counts import Counts, Queue
from gateway.errors import Overloaded

Item = TypeVar("Item")
Result = TypeVar("Result")


class HandedOn:
    """In place of a result: another batcher took the item's future over and will resolve it."""


HANDED_ON: Final = HandedOn()


class Batcher(Generic[Item, Result]):
    """Collects items and runs them in batches, one batch at a time.

    Args:
        run: takes the items of a batch, returns one result (or exception, or `HANDED_ON`) for
            each, in order. An exception that it raises reaches every item of that batch.
        batch_max: items in one batch.
        waiting_max: items that may wait; one more raises `Overloaded` at once.
        linger_s: asked before each batch how many seconds to let more gather; for a step whose
            results would only wait at the next one.
        queue: where sizes of batches and waiting are counted.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception | HandedOn]]],
        *,
        batch_max: int,
        waiting_max: int,
        linger_s: Callable[[], float] = lambda: 0.0,
        queue: Queue | None = None,
    ) -> None:
        self._run = run
        self._linger_s = linger_s
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._queue = queue or Counts().queue("")
        self._waiting: deque[tuple[Item, asyncio.Future[Result], float]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self.batches = 0
        self.items = 0

    @property
    def busy(self) -> bool:
        """Whether a batch is under way or about to be."""
        return self._runner is not None

    @property
    def full(self) -> bool:
        """Whether one more item would be refused."""
        return len(self._waiting) >= self._waiting_max

    def submit(
        self, item: Item, future: asyncio.Future[Result] | None = None
    ) -> asyncio.Future[Result]:
        """Put an item into the next batch; its result resolves `future`, or a new one.

        Raises:
            Overloaded: too many are waiting.
        """
        if len(self._waiting) >= self._waiting_max:
            self._queue.refused()
            raise Overloaded(retry_after_s=1)
        if future is None:
            future = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future, self._queue.now()))
        if self._runner is None:
            # The task starts with the loop's next tick, so all that this tick submits goes along.
            self._runner = asyncio.get_running_loop().create_task(self._drain())
            self._runner.add_done_callback(self._ended)
        return future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                if linger_s := self._linger_s():
                    await asyncio.sleep(linger_s)
                await self._run_one()
        finally:
            self._runner = None

    def _ended(self, runner: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never comes to its own clean-up.
        if self._runner is runner:
            self._runner = None
            self._give_up([])

    async def _run_one(self) -> None:
        batch = self._take()
        if not batch:
            return
        self.batches += 1
        self.items += len(batch)
        self._queue.sent([arrived for _, _, arrived in batch])
        results: Sequence[Result | Exception | HandedOn]
        try:
            results = await self._run([item for item, _, _ in batch])
            if len(results) != len(batch):
                raise ValueError("a run returns one result for each item")
        except Exception as fault:
            results = [fault] * len(batch)
        except BaseException:
            self._give_up(batch)
            raise
        for (_, future, _), result in zip(batch, results, strict=True):
            if isinstance(result, HandedOn) or future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _give_up(self, batch: list[tuple[Item, asyncio.Future[Result], float]]) -> None:
        # The worker is being stopped: nobody may be left waiting for ever.
        for _, future, _ in batch + list(self._waiting):
            future.cancel()
        self._waiting.clear()

    def _take(self) -> list[tuple[Item, asyncio.Future[Result], float]]:
        """The next batch, without those whose asker has gone."""
        batch: list[tuple[Item, asyncio.Future[Result], float]] = []
        while self._waiting and len(batch) < self._batch_max:
            item, future, arrived = self._waiting.popleft()
            if not future.done():
                batch.append((item, future, arrived))
        return batch
