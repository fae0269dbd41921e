"""The JSON checks: what may never pass, and that the fast test is as strict as the exact one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway import scan
from gateway.errors import Malformed
from gateway.scan import Limits, check, check_exactly, is_flat

HARMLESS = [
    b"{}",
    b'{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}',
    b'{ "a" : 1 ,\n "b"\t:\r\n2 }',
    '{"名称":"钱江分"}'.encode(),
    b'{"a":":","b":"\\":","c":":\\"x\\":"}',
    b'{"a":9007199254740991,"b":-9007199254740991,"c":0.5,"d":true,"e":null}',
    b'{"a":"\\\\u0000"}',
    b'{"a":"' + b"x" * 1024 + b'"}',
    json.dumps("x" * 1024).encode(),
    b"[" * 16 + b"]" * 16,
    b"[" + b",".join([b"1"] * 256) + b"]",
    b"1",
    b'""',
]

HARMFUL = {
    "empty": (b"", ""),
    "a BOM": (b"\xef\xbb\xbf{}", ""),
    "UTF-16": ('{"a":1}'.encode("utf-16"), ""),
    "bad UTF-8 in a value": (b'{"a":"\xff"}', ""),
    "bad UTF-8 in a name": (b'{"\xc3\x28":1}', ""),
    "an encoded surrogate": (b'{"a":"\xed\xa0\x80"}', ""),
    "trailing bytes": (b"{}x", ""),
    "a second document": (b"{} {}", ""),
    "a trailing NUL": (b"{}\0", ""),
    "NaN": (b'{"a":NaN}', ""),
    "Infinity": (b'{"a":-Infinity}', ""),
    "1e400": (b'{"a":1e400}', ""),
    "2^53": (b'{"a":9007199254740992}', "/a"),
    "-2^53": (b'{"a":{"b":-9007199254740992}}', "/a/b"),
    "2^70": (b'{"a":[1,1180591620717411303424]}', "/a/1"),
    "1e300": (b'{"a":1e300}', "/a"),
    "ten thousand digits": (b'{"a":' + b"9" * 10_000 + b"}", None),
    "an escaped NUL": (b'{"a":"x\\u0000"}', "/a"),
    "an escaped NUL in a name": (b'{"a\\u0000":1}', ""),
    "a raw NUL": (b'{"a":"x\0"}', ""),
    "a raw control character": (b'{"a":"x\n"}', ""),
    "a repeated name": (b'{"a":1,"a":2}', "/a"),
    "a repeated name, spaced": (b'{"a" :1,"a"\n:2}', "/a"),
    "a repeated name, tabs": (b'{"a"\t:1,"a"\t:2}', "/a"),
    "a repeated name, returns": (b'{"a"\r:1,"a"\r:2}', "/a"),
    # The colon in the value makes up for the one that the white space hides from the count.
    "a repeated name hidden by a space": (b'{"a" :1,"a" :":"}', "/a"),
    "a repeated name hidden by a tab": (b'{"a"\t:1,"a"\t:":"}', "/a"),
    "a repeated name hidden by a line end": (b'{"a"\n:1,"a"\n:":"}', "/a"),
    "a repeated name hidden by a return": (b'{"a"\r:1,"a"\r:":"}', "/a"),
    "a repeated name, escaped": (b'{"a":1,"\\u0061":2}', "/a"),
    "a repeated name, deep": (b'{"a":[0,{"b":{"c":1,"c":1}}]}', "/a/1/b/c"),
    "a repeated name under a colon value": (b'{"a":":","a":2}', "/a"),
    "a repeated name that nobody may read": (
        b'{"110101199003070000":1,"110101199003070000":2}',
        "",
    ),
    "a repeated empty name": (b'{"":1,"":2}', ""),
    "depth 17": (b"[" * 17 + b"]" * 17, "/0" * 16),
    "depth 17 of objects": (b'{"a":' * 17 + b"1" + b"}" * 17, "/a" * 16),
    "depth 100,000": (b"[" * 100_000 + b"]" * 100_000, ""),
    "depth 100,000 unclosed": (b'{"a":' * 100_000, ""),
    "257 items": (b"[" + b",".join([b"1"] * 257) + b"]", ""),
    "257 one-item arrays": (b"[" + b",".join([b"[1]"] * 129) + b"]", ""),
    "257 members": (json.dumps({f"a{i}": i for i in range(257)}).encode(), ""),
    "a long string": (b'{"a":"' + b"x" * 1025 + b'"}', "/a"),
    "a long name": (b'{"' + b"x" * 1025 + b'":1}', ""),
    "a long string alone": (json.dumps("x" * 1025).encode(), ""),
}


@pytest.mark.parametrize("body", HARMLESS)
def test_a_harmless_text_passes_both_tests(body: bytes) -> None:
    check(body)
    check_exactly(body)


@pytest.mark.parametrize("fault", HARMFUL)
def test_a_harmful_text_passes_neither(fault: str) -> None:
    body, pointer = HARMFUL[fault]
    with pytest.raises(Malformed) as caught:
        check(body)
    if pointer is not None:
        assert caught.value.pointers[0][0] == pointer
    with pytest.raises(Malformed):
        check_exactly(body)


def test_a_caller_can_set_its_own_limits() -> None:
    narrow = Limits(depth=1, members=2, string=3)
    check(b'{"a":"xyz","b":1}', narrow)
    for body in (b'{"a":[]}', b'{"a":1,"b":2,"c":3}', b'{"a":"wxyz"}', b'{"abcd":1}'):
        with pytest.raises(Malformed):
            check(body, narrow)


def test_a_value_is_never_repeated_in_a_fault() -> None:
    with pytest.raises(Malformed) as caught:
        check(b'{"a":{"330106200001011234":"x\\u0000","330106200001011234":1}}')
    assert "3301" not in repr(caught.value.pointers)


def test_faults_are_counted_out() -> None:
    body = b"[" + b",".join([b"1e17"] * 200) + b"]"
    with pytest.raises(Malformed) as caught:
        check(body)
    assert len(caught.value.pointers) == 16


# Texts written by hand from a tree, so that names repeat, escapes vary and white space wanders.
_names = st.sampled_from(["a", "b", ":", '"', "\\", '":', "é", "a ", "\x00", "x" * 9])
_scalars = st.one_of(
    st.integers(-(2**54), 2**54),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([True, None, "", ":", '":', '" :', "\\", "\\u0000", "\0", "中", "y" * 9]),
)
_space = st.sampled_from(["", "", "", " ", "\n", "\t", "\r"])


@st.composite
def _escaped(draw: st.DrawFn, text: str) -> str:
    if draw(st.booleans()):
        return '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


@st.composite
def _texts(draw: st.DrawFn, depth: int = 4) -> str:
    kind = draw(st.sampled_from(["object", "object", "array", "scalar"])) if depth else "scalar"
    if kind == "scalar":
        value: Any = draw(_scalars)
        return draw(_escaped(value)) if isinstance(value, str) else json.dumps(value)
    items = draw(st.lists(_texts(depth - 1), max_size=4))
    if kind == "object":
        items = [
            f"{draw(_escaped(draw(_names)))}{draw(_space)}:{draw(_space)}{item}" for item in items
        ]
    opening, closing = "{}" if kind == "object" else "[]"
    return opening + draw(_space) + f",{draw(_space)}".join(items) + draw(_space) + closing


_LIMITS = Limits(depth=3, members=6, string=8)


def _passes(test: Any, body: bytes) -> bool:
    try:
        test(body, _LIMITS)
    except Malformed:
        return False
    return True


@given(_texts())
@example('{"a":":","a":1}')
@example('{"a":"\\":","a":1}')
def test_the_fast_test_decides_as_the_exact_one(text: str) -> None:
    assert _passes(check, text.encode()) == _passes(check_exactly, text.encode())


@given(_texts())
def test_what_the_fast_test_calls_plain_holds_no_repeated_name(text: str) -> None:
    body = text.encode()
    tree = json.loads(text)
    if scan._is_plain(body, tree, Limits()):
        json.loads(text, object_pairs_hook=_no_repeats)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    assert len(members) == len(pairs)
    return members


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,\\ u0061a1e-.\n', max_size=40))
def test_any_bytes_give_an_answer_and_never_another_error(raw: bytes | str) -> None:
    body = raw.encode() if isinstance(raw, str) else raw
    assert _passes(check, body) <= _passes(check_exactly, body)


class _Facts(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    amount: int | msgspec.UnsetType = msgspec.UNSET
    item: str | msgspec.UnsetType = msgspec.UNSET


class _Typed(msgspec.Struct, forbid_unknown_fields=True):
    subject: str
    facts: _Facts
    staff: str | None = None


_SPACE = st.sampled_from(["", "", "", " ", "\n", "\t", "\r"])
_TEXT = st.text(alphabet='ab":,é {}\\', max_size=6)


@st.composite
def _members(draw: st.DrawFn, values: dict[str, st.SearchStrategy[Any]]) -> str:
    """An object whose members come in any order, some twice, with space and escapes anywhere."""
    names = [*values, *draw(st.lists(st.sampled_from(sorted(values)), max_size=1))]
    written = []
    for name in draw(st.permutations(names)):
        spelt = name if draw(st.integers(0, 9)) else f"\\u{ord(name[0]):04x}{name[1:]}"
        value = draw(values[name])
        text = value if isinstance(value, str) else json.dumps(value)
        written.append(f'{draw(_SPACE)}"{spelt}"{draw(_SPACE)}:{draw(_SPACE)}{text}{draw(_SPACE)}')
    return "{" + ",".join(written) + "}"


_STRINGS = st.builds(json.dumps, _TEXT, ensure_ascii=st.booleans())
_FLAT = _members(
    {
        "subject": _STRINGS,
        "staff": _STRINGS | st.just("null"),
        "facts": _members({"amount": st.integers(0, 9), "item": _STRINGS}),
    }
)


@given(_FLAT)
@example('{"subject":"s","facts":{"item":"\\u0022:","amount":1,"amount":2}}')
@example('{"subject" :"t","subject":"s","facts":{}}')
def test_a_typed_value_that_is_called_flat_was_written_without_repetition(text: str) -> None:
    body = text.encode()
    try:
        typed = msgspec.json.decode(body, type=_Typed)
    except msgspec.DecodeError:
        return
    members = 2 + (typed.staff is not None) + msgspec.json.encode(typed.facts).count(b'":')
    if is_flat(body, members):
        check_exactly(body)


def test_an_ordinary_question_is_called_flat() -> None:
    body = b'{"subject": "s", "facts": {"amount": 3, "item": "x:y"}, "staff": "desk 4"}'
    assert is_flat(body, 5)
