"""What happens beside the requests: one background process a city, and a tick in every worker.

Every job is a plain step that may be run at any time, by several processes at once, and is cut
off after a while. A step that fails is logged and comes again; it never ends its loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import structlog

from gateway.city import City
from gateway.errors import GatewayError
from gateway.monitor import SERVER, WORKER, Monitor, monitored
from gateway.probing import ProbeWatch
from gateway.recognition import forgetting, trust_fetch
from gateway.recognition.forgetting import Forgetting
from gateway.standing import CacheRelay
from gateway.store import consent as consent_rows
from gateway.store import ending as ending_rows
from gateway.store import housekeeping
from gateway.webhooks import PARTY_BATCH, WebhookSender

#: No step takes longer: what hangs is cut off, and its transaction rolled back.
STEP_S = 60.0

#: How often a worker looks for what changed elsewhere.
TICK_S = 1.0

#: Rows of one look, where a job works through a list.
PURGE_BATCH, EXPIRY_BATCH = 1000, 100

_log = structlog.get_logger(__name__)


class Job(msgspec.Struct, frozen=True):
    """A step, the seconds between two of them, and how much done means that more is waiting."""

    name: str
    every_s: float
    step: Callable[[City], Awaitable[int]]
    full: int = 1 << 31


async def relay(city: City) -> int:
    """Bring to the cache what its writers could not."""
    return await city.relay.step()


async def send(city: City) -> int:
    """Send the messages to parties that are due."""
    settings = city.settings
    sender = WebhookSender(
        city.database,
        city.keys,
        city.clock,
        city.ids,
        allow_loopback_http=settings.allow_loopback_http,
    )
    return await sender.step()


async def expire_requests(city: City) -> int:
    """Say so of requests for consent whose time has run out."""
    return await city.consents.expire_requests(EXPIRY_BATCH)


async def expire_consents(city: City) -> int:
    """Say so of consents whose time has run out; they have answered nothing since."""
    async with city.database.connection() as connection:
        ended = await consent_rows.ended(connection, EXPIRY_BATCH)
    done = 0
    for consent, citizen in ended:
        try:
            await city.consents.expire(citizen, consent)
            done += 1
        except GatewayError as fault:
            _log.warning("consent_expiry_failed", error=type(fault).__name__)
    return done


async def copy_status(city: City) -> int:
    """Copy which of this city's recognitions have ended, for its status lists."""
    return await city.status_lists.step()


async def watch_issuers(city: City) -> int:
    """Read other cities' status lists, each when its time has come."""
    return await city.status_reader.step()


async def end_recognitions(city: City) -> int:
    """End recognitions whose time has run out: no other change of the standing would."""
    async with city.database.connection() as connection:
        over = await ending_rows.over(connection, EXPIRY_BATCH)
    done = 0
    for citizen in over:
        try:
            await city.writer.rebuild(citizen)
            done += 1
        except GatewayError as fault:
            _log.warning("recognition_end_failed", error=type(fault).__name__)
    return done


async def purge(city: City) -> int:
    """Forget rows whose period is over; returns the most that one table had."""
    most = 0
    for what in housekeeping.FORGETTING:
        async with city.database.connection() as connection:
            most = max(most, await housekeeping.forget(connection, what, PURGE_BATCH))
    return most


async def fetch_trust_list(city: City) -> int:
    """Fetch the region's list of cities, and stop relying on whoever is not in it."""
    return await city.trust_fetcher.step()


async def watch_partitions(city: City) -> int:
    """Raise the alarm while there is still time to run `qianjiang migrate`."""
    async with city.database.connection() as connection:
        if not await housekeeping.month_ahead(connection):
            # `qianjiang migrate` makes the months ahead.
            _log.error("partition_missing")
    return 0


def jobs(city: City) -> tuple[Job, ...]:
    """The jobs of a city's background process."""
    watch = ProbeWatch(city.database, city.writer, city.clock, most=city.settings.amounts_max)
    forget = Forgetting(city.database, city.writer, city.closing)
    return (
        Job("relay", 0.5, relay, CacheRelay.BATCH),
        Job("webhooks", 1, send, PARTY_BATCH),
        Job("probing", 2, _by(watch.step)),
        Job("trust-list", trust_fetch.EVERY_S, fetch_trust_list),
        Job("request-expiry", 5, expire_requests, EXPIRY_BATCH),
        Job("consent-expiry", 30, expire_consents, EXPIRY_BATCH),
        Job("status-lists", 2, copy_status),
        Job("watch-issuers", 1, watch_issuers),
        Job("recognition-end", 2, end_recognitions, EXPIRY_BATCH),
        Job("purge", 60, purge, PURGE_BATCH),
        Job("visit-times", 60, _by(forget.times), forgetting.IATS),
        Job("visit-order", 60, _by(forget.order), forgetting.SETTLED),
        Job("visitors-away", 600, _by(forget.absent), forgetting.CLOSED),
        Job("recognition-memory", 600, _by(forget.grants), forgetting.GRANTS),
        Job("partitions", 3600, watch_partitions),
        Job("parts", TICK_S, _refreshed),
    )


def _by(step: Callable[[], Awaitable[int]]) -> Callable[[City], Awaitable[int]]:
    """The step of a part that was made for the city."""

    async def stepped(_city: City) -> int:
        return await step()

    return stepped


async def run_jobs(city: City, stop: asyncio.Event) -> None:
    """Run every job of a city until told to stop; steps under way are finished first."""
    async with (
        monitored(city.counts, city.settings, WORKER, city.clock) as monitor,
        asyncio.TaskGroup() as group,
    ):
        for job in (*jobs(city), *_shown(monitor)):
            group.create_task(_repeat(job, city, stop), name=f"job-{job.name}")


async def tick(city: City, stop: asyncio.Event, monitor: Monitor | None = None) -> None:
    """What every worker does for itself each second, until told to stop.

    It learns what changed elsewhere (parties, policies, generation), says of statements whose
    outcome it did not hear whether they were recorded, and shows what it has counted.
    """
    own = (Job("refresh", TICK_S, _refreshed), Job("reconcile", TICK_S, _reconciled))
    async with asyncio.TaskGroup() as group:
        for job in (*own, *_shown(monitor)):
            group.create_task(_repeat(job, city, stop), name=f"tick-{job.name}")


@asynccontextmanager
async def ticking(city: City) -> AsyncIterator[None]:
    """A worker's tick for as long as the block lasts."""
    stop = asyncio.Event()
    async with monitored(city.counts, city.settings, SERVER, city.clock) as monitor:
        task = asyncio.create_task(tick(city, stop, monitor), name="tick")
        try:
            yield
        finally:
            stop.set()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _shown(monitor: Monitor | None) -> tuple[Job, ...]:
    """The step in which a process shows its counts, where metrics are wanted."""
    if monitor is None:
        return ()

    async def show(_city: City) -> int:
        await monitor.step()
        return 0

    return (Job("metrics", TICK_S, show),)


async def _refreshed(city: City) -> int:
    await city.refresh()
    return 0


async def _reconciled(city: City) -> int:
    return await city.committer.reconcile() + await city.search_committer.reconcile()


async def _repeat(job: Job, city: City, stop: asyncio.Event) -> None:
    while not stop.is_set():
        done = await _run(job, city)
        if done < job.full:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), job.every_s * _spread(city))


async def _run(job: Job, city: City) -> int:
    began = city.clock.monotonic()
    try:
        async with asyncio.timeout(STEP_S):
            done = await job.step(city)
    except Exception as fault:  # whatever it is, the next step comes
        # The class alone: an exception's text may hold personal data.
        _log.error("job_failed", job=job.name, error=type(fault).__qualname__)
        city.counts.job(job.name, "failed", 0, city.clock.monotonic() - began)
        return 0
    city.counts.job(job.name, "done", done, city.clock.monotonic() - began)
    return done


def _spread(city: City) -> float:
    """Between 0.9 and 1.1, so that processes started together do not stay together."""
    return 0.9 + city.ids.random_bytes(1)[0] / 1275
