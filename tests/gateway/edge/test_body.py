"""Reading and decoding bodies: strangers' tricks first, the honest body last."""

from __future__ import annotations

import asyncio
import enum
from typing import Annotated, Any

import msgspec
import pytest
from litestar import Litestar, post
from litestar.openapi.config import OpenAPIConfig
from litestar.params import JSONBody
from litestar.testing import TestClient

from gateway import errors
from gateway.edge.body import (
    StrictRequest,
    authzen_wrong_media,
    decode,
    decoder_for,
    read_body,
)
from gateway.edge.problems import EXCEPTION_HANDLERS
from tests.gateway.edge.asgi import JSON, scope, sending


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    deposit_fen: Annotated[int, msgspec.Meta(ge=0)]
    tags: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    subject: str
    facts: Facts | None = None
    more: dict[str, int] = {}


QUESTION = msgspec.json.Decoder(Question, strict=True)


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        b"",
        b"text/plain",
        b"text/json",
        b"application/json; charset=gbk",
        b"application/json; charset=utf-16",
        b"application/json, text/plain",
        b"application/json;boundary=x",
        b"application/jsonx",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
    ],
)
async def test_a_body_that_is_not_declared_as_json_is_not_read(media_type: bytes | None) -> None:
    headers = [] if media_type is None else [(b"content-type", media_type)]
    with pytest.raises(errors.UnsupportedMediaType):
        await read_body(scope(*headers), sending(b"{}"), limit_bytes=10)
    with pytest.raises(errors.Malformed):
        await read_body(
            scope(*headers), sending(b"{}"), limit_bytes=10, wrong_media=authzen_wrong_media
        )


@pytest.mark.parametrize(
    "media_type",
    [b"application/json", b"Application/JSON", b"application/json; charset=UTF-8"],
)
async def test_json_in_utf_8_is_read_whole(media_type: bytes) -> None:
    received = sending(b'{"a"', b":", b"", b"1}")
    body = await read_body(scope((b"content-type", media_type)), received, limit_bytes=7)
    assert body == b'{"a":1}'


async def test_two_content_types_are_refused() -> None:
    with pytest.raises(errors.UnsupportedMediaType):
        await read_body(scope(JSON, JSON), sending(b"{}"), limit_bytes=10)


async def test_an_announced_excess_is_refused_before_a_byte_is_read() -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")

    with pytest.raises(errors.TooLarge):
        await read_body(scope(JSON, (b"content-length", b"11")), never, limit_bytes=10)


@pytest.mark.parametrize("chunks", [(b"x" * 11,), (b"x" * 10, b"x"), (b"x",) * 11])
async def test_an_unannounced_excess_is_refused_when_it_arrives(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(errors.TooLarge):
        await read_body(scope(JSON), sending(*chunks), limit_bytes=10)


async def test_a_client_that_leaves_is_not_answered_as_if_it_had_asked() -> None:
    with pytest.raises(errors.ClientGone):
        await read_body(scope(JSON), sending(b"{", then_disconnect=True), limit_bytes=10)


async def test_a_trickled_body_is_cut_at_the_deadline() -> None:
    trickle = sending(*[b"x"] * 100, pause_s=0.01)
    started = asyncio.get_running_loop().time()
    with pytest.raises(errors.TooSlow):
        await read_body(scope(JSON), trickle, limit_bytes=1000, deadline_s=0.05)
    assert asyncio.get_running_loop().time() - started < 0.5


async def test_a_cancelled_request_stays_cancelled_even_when_it_is_late() -> None:
    reading = asyncio.create_task(
        read_body(scope(JSON), sending(b"x", pause_s=9), limit_bytes=9, deadline_s=0.01)
    )
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    async def cancelled_in_the_same_turn() -> Any:
        task = asyncio.current_task()
        assert task is not None
        try:
            await asyncio.sleep(9)
        finally:
            task.cancel()

    late = asyncio.create_task(
        read_body(scope(JSON), cancelled_in_the_same_turn, limit_bytes=9, deadline_s=0.01)
    )
    with pytest.raises(asyncio.CancelledError):
        await late


async def test_a_deadline_that_was_kept_cancels_nothing_later() -> None:
    assert await read_body(scope(JSON), sending(b"{}"), limit_bytes=9, deadline_s=0.01) == b"{}"
    await asyncio.sleep(0.03)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


FAULTS = {
    b'{"subject":1}': ("/subject", "Expected `str`, got `int`"),
    b'{"subject":"x","facts":{"deposit_fen":"1"}}': (
        "/facts/deposit_fen",
        "Expected `int`, got `str`",
    ),
    b'{"subject":"x","facts":{"deposit_fen":1.0}}': (
        "/facts/deposit_fen",
        "Expected `int`, got `float`",
    ),
    b'{"subject":"x","facts":{"deposit_fen":true}}': (
        "/facts/deposit_fen",
        "Expected `int`, got `bool`",
    ),
    b'{"subject":"x","facts":{"deposit_fen":-1}}': ("/facts/deposit_fen", "Expected `int` >= 0"),
    b'{"subject":"x","facts":{}}': ("/facts/deposit_fen", "a required member is missing"),
    b'{"subject":"x","facts":{"deposit_fen":1,"colour":2}}': (
        "/facts/colour",
        "an unknown member",
    ),
    b'{"subject":"x","facts":{"deposit_fen":1,"tags":["a",2]}}': (
        "/facts/tags/1",
        "Expected `str`, got `int`",
    ),
    b'{"subject":"x","more":{"13800000000":"y"}}': ("/more", "Expected `int`, got `str`"),
    b'{"subject":"x","13800000000":1}': ("", "an unknown member"),
    b"[]": ("", "Expected `object`, got `array`"),
}


@pytest.mark.parametrize("body", FAULTS)
def test_a_fault_is_named_by_its_place_and_without_its_value(body: bytes) -> None:
    with pytest.raises(errors.Malformed) as caught:
        decode(body, QUESTION)
    assert caught.value.pointers == (FAULTS[body],)


def test_a_forged_place_in_a_name_gains_nothing() -> None:
    with pytest.raises(errors.Malformed) as caught:
        decode(b'{"subject":"x","330106` - at `$.evil":1}', QUESTION)
    assert "330106" not in repr(caught.value.pointers)


def test_a_message_that_quotes_a_value_is_not_passed_on() -> None:
    class Colour(enum.Enum):
        RED = "red"

    with pytest.raises(errors.Malformed) as caught:
        decode(b'["330106200001011234"]', msgspec.json.Decoder(list[Colour]))
    assert caught.value.pointers == (("/0", "not a valid value"),)


def test_a_harmless_body_becomes_its_type() -> None:
    body = b'{"subject":"x","facts":{"deposit_fen":200000,"tags":["a"]}}'
    assert decode(body, QUESTION) == Question(
        subject="x", facts=Facts(deposit_fen=200000, tags=("a",))
    )


def test_a_type_has_one_decoder() -> None:
    assert decoder_for(Question) is decoder_for(Question)


# Ordinary typed handlers.


@post("/typed", request_max_body_size=64)
async def typed(data: JSONBody[Question]) -> dict[str, str]:
    return {"subject": data.subject}


@post("/authzen", opt={"authzen": True})
async def authzen(data: JSONBody[Question]) -> dict[str, str]:
    return {"subject": data.subject}


@post("/bodiless")
async def bodiless() -> dict[str, bool]:
    return {"done": True}


@pytest.fixture(scope="module")
def client() -> Any:
    app = Litestar(
        [typed, authzen, bodiless],
        request_class=StrictRequest,
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig(title="t", version="1"),
    )
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b'{"subject":"x"}', "text/plain", 415),
        (b'{"subject":"x"}', None, 415),
        (b"", "application/json", 400),
        (b'{"subject":1}', "application/json", 400),
        (b'{"subject":"x","subject":"y"}', "application/json", 400),
        (b'{"subject":"\xff"}', "application/json", 400),
        (b'{"subject":"\\u0000"}', "application/json", 400),
        (b"[" * 60, "application/json", 400),
        (b'{"subject":"x","facts":{"deposit_fen":"1"}}', "application/json", 400),
        (b'{"subject":"' + b"x" * 64 + b'"}', "application/json", 413),
        (b'{"subject":"x"}', "application/json", 201),
    ],
)
def test_a_typed_handler_reads_as_strictly(
    client: TestClient[Litestar], body: bytes, media_type: str | None, status: int
) -> None:
    headers = {} if media_type is None else {"content-type": media_type}
    reply = client.post("/typed", content=body, headers=headers)
    assert reply.status_code == status, reply.text
    if status >= 400:
        assert reply.headers["content-type"] == "application/problem+json"


def test_a_typed_handler_says_where_the_fault_is(client: TestClient[Litestar]) -> None:
    reply = client.post("/typed", json={"subject": "x", "facts": {"deposit_fen": "1"}})
    assert reply.json()["errors"] == [
        {"pointer": "/facts/deposit_fen", "detail": "Expected `int`, got `str`"}
    ]


def test_authzen_answers_400_to_a_wrong_media_type(client: TestClient[Litestar]) -> None:
    assert client.post("/authzen", content=b"{}").status_code == 400
    assert client.post("/authzen", json={"subject": "x"}).status_code == 201


def test_a_handler_without_a_body_asks_for_none(client: TestClient[Litestar]) -> None:
    assert client.post("/bodiless").status_code == 201


def test_the_contract_still_shows_the_body(client: TestClient[Litestar]) -> None:
    operation = client.app.openapi_schema.to_schema()["paths"]["/typed"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("Question")
