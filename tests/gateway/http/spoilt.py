"""A good question made bad in every way that decoders are known to take for something else."""

from __future__ import annotations

import json


def spoilt(good: str, subject: str, facts: str) -> dict[str, bytes]:
    """What is wrong, and the body; each must be refused with 400."""
    return _structure(good, subject, facts) | _numbers(good, facts) | _texts(good, subject)


def _with(good: str, member: bytes) -> bytes:
    """The question with one more member."""
    return good[:-1].encode() + b"," + member + b"}"


def _first(facts: str) -> tuple[str, str]:
    name, _, value = facts.split(",", 1)[0][1:].partition(":")
    return name, value


def _structure(good: str, subject: str, facts: str) -> dict[str, bytes]:
    deep = b"[" * 1_500 + b"]" * 1_500
    fact, _ = _first(facts)
    whole = good.encode()
    return {
        "nothing": b"",
        "an empty object": b"{}",
        "a list": b"[]",
        "null": b"null",
        "1,500 deep": deep,
        "1,500 deep in an unknown member": _with(good, b'"x":' + deep),
        "20 deep": _with(good, b'"x":' + b"[" * 20 + b"]" * 20),
        "a repeated member": _with(good, f'"subject":"{subject}"'.encode()),
        "a member repeated by an escape": _with(good, b'"\\u0073ubject":"x"'),
        "a repeated fact": good.replace("}}", f",{fact}:1}}}}").encode(),
        "trailing bytes": whole + b"x",
        "two documents": whole * 2,
        "a comment": whole + b"//",
        "a trailing comma": whole[:-1] + b",}",
        "single quotes": good.replace('"', "'").encode(),
        "an unknown member": _with(good, b'"x":1'),
        "an unknown fact": good.replace("}}", ',"x":1}}').encode(),
        "a prototype": _with(good, b'"__proto__":{}'),
        "300 members": json.dumps({str(n): 0 for n in range(300)}).encode(),
        "another's subject": good.replace(subject, subject[::-1]).encode(),
        "a city's fact": good.replace("}}", ',"waived_fen":0}}').encode(),
    }


def _numbers(good: str, facts: str) -> dict[str, bytes]:
    fact, amount = _first(facts)
    values = {
        "2^70": str(2**70),
        "2^53+1": str(2**53 + 1),
        "NaN": "NaN",
        "Infinity": "Infinity",
        "1e400": "1e400",
        "a float": "1.5",
        "a number in a string": '"1"',
        "a boolean": "true",
        "a leading zero": "01",
        "a plus sign": "+1",
        "hexadecimal": "0x1",
    }
    made = {
        name: good.replace(f"{fact}:{amount}", f"{fact}:{value}").encode()
        for name, value in values.items()
    }
    assert good.encode() not in made.values(), "every number was really replaced"
    return made


def _texts(good: str, subject: str) -> dict[str, bytes]:
    return {
        "invalid UTF-8": good.replace(subject, "\udcff" * 22).encode("utf-8", "surrogateescape"),
        "invalid UTF-8 in an unknown member": _with(good, b'"x":"\xff"'),
        "overlong UTF-8": _with(good, b'"staff":"\xc0\xaf"'),
        "\\u0000": _with(good, b'"staff":"a\\u0000b"'),
        "a raw NUL": _with(good, b'"staff":"a\x00b"'),
        "a lone surrogate": _with(good, b'"staff":"\\ud800"'),
        "a surrogate pair the wrong way": _with(good, b'"staff":"\\udc00\\ud800"'),
        "a byte order mark": b"\xef\xbb\xbf" + good.encode(),
        "UTF-16": good.encode("utf-16"),
        "UTF-32": good.encode("utf-32"),
        "a long string": _with(good, b'"staff":"' + b"a" * 1_100 + b'"'),
    }
