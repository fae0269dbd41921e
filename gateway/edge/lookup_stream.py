"""`GET /v1/me/lookups/stream`: who asks about me, told while it happens.

Events, each with one JSON value:

- `lookup`: a line as `GET /v1/me/lookups` has it. Its `id:` is where the stream is then: the line's
  own id, with what else was told shortly before. A page that reconnects goes on from there, at
  whatever worker, and hears of each line once.
- `behind`: more happened than is told one by one; read the list again.
- `asked` `{id, link}`: a request for consent asks this citizen in person. Open ones are told when
  the stream begins.
- `consent` `{id, version, status, changed_at}`: the last change of a consent, when the stream
  begins and after each change.
- `over` `{reason}`: do not come again by yourself: the `session` is over, or this citizen opened
  others and this one was `replaced`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from gateway.city import City
from gateway.clock import rfc3339
from gateway.edge import event_stream
from gateway.edge.access import ACCESS, Access, citizen_of, city_of
from gateway.edge.event_stream import EventStream, refuse_body
from gateway.edge.lookup_lines import line_of
from gateway.store.watch import ConsentChange
from gateway.watch_place import TEXT_MAX, Place
from gateway.watch_stream import Asked, Behind, Event, Stream, Told

#: Seconds between signs of life where nothing happens.
HEARTBEAT_S: Final = 15.0

#: Seconds after which a stream ends and its page comes again, perhaps to another worker; less by
#: up to a quarter, so that pages opened together do not come together.
LIFE_S: Final = 300.0

#: Milliseconds after which a page comes again.
RETRY_MS: Final = 2000

After = Annotated[str | None, QueryParameter(max_length=TEXT_MAX)]
LastId = Annotated[str | None, HeaderParameter(name="last-event-id", max_length=TEXT_MAX)]


class AskedInPerson(msgspec.Struct, frozen=True):
    """A request that waits for this citizen, and where it is shown."""

    id: UUID
    link: str


class ConsentChanged(msgspec.Struct, frozen=True):
    """The last change of any consent of this citizen."""

    id: UUID
    version: int
    status: str
    changed_at: str


_encode = msgspec.json.Encoder().encode


@get(
    "/v1/me/lookups/stream",
    opt={ACCESS: Access.CITIZEN},
    media_type=event_stream.MEDIA_TYPE,
)
async def stream(
    request: Request[Any, Any, Any], after: After = None, last_id: LastId = None
) -> EventStream:
    """Who asks about the citizen, as it happens (server-sent events)."""
    refuse_body(request)
    city = city_of(request)
    told = last_id or after
    place = Place.read(told) if told else None
    opened = await city.watch.open(citizen_of(request), city.sessions.key(request), place)
    return EventStream(_pieces(city, opened), lambda: city.watch.close(opened))


async def _pieces(city: City, opened: Stream) -> AsyncIterator[bytes]:
    ends = city.clock.monotonic() + LIFE_S * (1 - city.ids.random_bytes(1)[0] / 1024)
    yield event_stream.begin(opened.start.text, RETRY_MS)
    while (left_s := ends - city.clock.monotonic()) > 0:
        happened = await opened.next(min(HEARTBEAT_S, left_s))
        if happened is not None:
            yield _told(city, happened)
        elif opened.ended is not None:
            break
        else:
            yield event_stream.HEARTBEAT
    if opened.ended in ("session", "replaced"):
        yield event_stream.event("over", _encode({"reason": opened.ended}))


def _told(city: City, happened: Event) -> bytes:
    match happened:
        case Told(line=line, place=place):
            told = _encode(line_of(city.registry, line))
            return event_stream.event("lookup", told, place.text)
        case Behind(place=place):
            return event_stream.event("behind", b"{}", place.text)
        case Asked(request=request):
            link = city.consent_requests.link(request)
            return event_stream.event("asked", _encode(AskedInPerson(request, link)))
        case ConsentChange():
            changed = ConsentChanged(
                happened.id, happened.version, happened.status, rfc3339(happened.at_us)
            )
            return event_stream.event("consent", _encode(changed))


HANDLERS: list[HTTPRouteHandler] = [stream]
