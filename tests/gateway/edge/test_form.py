"""Form bodies: one reading only."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.form import parse_form, read_form
from gateway.errors import Malformed, TooLarge, UnsupportedMediaType
from tests.gateway.edge.asgi import JSON, Header, scope, sending

FORM: Header = (b"content-type", b"application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    "raw",
    [
        b"a=1&a=2",
        b"a=1&%61=2",
        b"a",
        b"=1",
        b"&",
        b"a=1&",
        b"a=%",
        b"a=%4",
        b"a=%zz",
        b"a=%ff",
        b"a=\xff",
        b"a=%00",
        b"a=%0d%0ax",
        b"a=\n",
        b"a=%7f",
        "a=钱".encode(),
        b"&".join(b"a%d=1" % i for i in range(33)),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_is_not_read(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_form(raw)


@pytest.mark.parametrize("headers", [(), (JSON,), (FORM, FORM), (FORM, JSON)])
async def test_only_a_declared_form_is_read(headers: tuple[Header, ...]) -> None:
    with pytest.raises(UnsupportedMediaType):
        await read_form(scope(*headers), sending(b"a=1"), limit_bytes=10)


async def test_a_form_has_a_largest_size() -> None:
    with pytest.raises(TooLarge):
        await read_form(scope(FORM), sending(b"a=1&b=2&c=3"), limit_bytes=10)


async def test_a_form_is_read() -> None:
    body = b"grant_type=client_credentials&scope=scenario%3Arent+x&empty="
    assert await read_form(scope(FORM), sending(body), limit_bytes=100) == {
        "grant_type": "client_credentials",
        "scope": "scenario:rent x",
        "empty": "",
    }
    assert parse_form(b"") == {}


_texts = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=8)


@given(st.dictionaries(_texts.filter(bool), _texts, max_size=8))
def test_what_a_client_encodes_is_what_is_read(members: dict[str, str]) -> None:
    assert parse_form(urlencode(members).encode()) == members


@given(st.binary(max_size=40))
def test_no_bytes_are_another_error(raw: bytes) -> None:
    with suppress(Malformed):
        parse_form(raw)
