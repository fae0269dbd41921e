"""Is a JSON text harmless? The checks that a typed decoder does not make.

msgspec lets pass what a signed or audited message must not hold: repeated member names (the
last one wins, also when it is spelled `"\\u0061"`), NUL, integers past 2^53 (RFC 7493 2.2),
depth up to the recursion limit. `check` refuses them and names the place.

It runs on every request, so it is a fast, sound test first and an exact scan only where that
one has doubts. The fast test decodes without types in C and measures the tree, in which a
repeated name has vanished. In the text every name still ends in a quotation mark and a colon,
so unless white space stands before a colon, `":` occurs at least once for each name written.
As many occurrences as members in the tree therefore prove that no name was written twice.
Strings may hold `":` too (`":8080"`): then the counts differ, and the exact scan decides.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from gateway.errors import Malformed

#: The largest integer that every JSON reader keeps exactly (RFC 7493 2.2).
MAX_NUMBER = 2**53 - 1

#: Only a name that looks like a field of an interface is repeated to the sender. Anything else
#: might be a person's number in the wrong place.
_SAYABLE = re.compile(r"\A[a-z][a-z_]{0,39}\Z")


class Limits(msgspec.Struct, frozen=True):
    """How much structure a body may have; `members` counts object members and array items."""

    depth: int = 16
    members: int = 256
    string: int = 1024  # code points


DEFAULT_LIMITS = Limits()

_decode_untyped = msgspec.json.Decoder().decode


def check(body: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a JSON text that is not well-formed or not harmless.

    Raises:
        Malformed: with a JSON Pointer for every fault that the exact scan found.
    """
    try:
        tree = _decode_untyped(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed([("", "not well-formed JSON in UTF-8 within the limits")]) from None
    if not _is_plain(body, tree, limits):
        check_exactly(body, limits)


_SUSPECT = b"\\ \n\t\r"


def is_flat(body: bytes, members: int) -> bool:
    """Whether a text that a strict typed decoder took holds nothing that `check` would refuse.

    `members` is how many object members the decoded value has, of which none may be an explicit
    null. The decoder allows no unknown member, so it bounds depth and number; without a backslash a
    quotation mark ends a string, so `":` stands once for each name written, and as many names as
    members means that none came twice. False says only that `check` must look.
    """
    if body.count(b'":') != members or len(body) > DEFAULT_LIMITS.string:
        return False
    if len(body.translate(None, _SUSPECT)) == len(body):
        return True  # written without any white space, as machines write
    return (
        b"\\" not in body
        and b" :" not in body
        and (b"\n" not in body or b"\n:" not in body)
        and (b"\t" not in body or b"\t:" not in body)
        and (b"\r" not in body or b"\r:" not in body)
    )


def _is_plain(body: bytes, tree: Any, limits: Limits) -> bool:
    """Whether the cheap test proves the text harmless; False means only that it has doubts."""
    if b" :" in body or (b"\n" in body and b"\n:" in body):
        return False
    if (b"\t" in body and b"\t:" in body) or (b"\r" in body and b"\r:" in body):
        return False
    if b"\\" in body and b"\\u0000" in body:
        return False
    if len(body) > 2 * limits.members and _most_members(body) > limits.members:
        return False
    if type(tree) is not dict and type(tree) is not list:
        return False
    string = limits.string if len(body) > limits.string else 0
    return _members(tree, limits.depth, string) == body.count(b'":')


def _most_members(body: bytes) -> int:
    """At least the number of members and items: one a colon, one a comma, one an array more.

    By the same reasoning a text of 2n bytes has fewer than n of them, and need not be counted.
    """
    return body.count(b":") + body.count(b",") + body.count(b"[")


def _members(node: Any, depth: int, string: int) -> int:
    """The number of object members in a tree, or -1 where a limit is passed.

    `string` is 0 where the text is too short to hold a string over the limit.
    """
    if depth == 0:
        return -1
    count, values = (len(node), node.values()) if type(node) is dict else (0, node)
    if string and count and max(map(len, node)) > string:
        return -1
    for value in values:
        kind = type(value)
        if kind is str:
            if string and len(value) > string:
                return -1
        elif kind is dict or kind is list:
            if (inner := _members(value, depth - 1, string)) < 0:
                return -1
            count += inner
        elif (kind is int or kind is float) and not -MAX_NUMBER <= value <= MAX_NUMBER:
            return -1
    return count


class _Members(list[tuple[str, Any]]):
    """An object's members in order, repeated names kept."""


def check_exactly(body: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """The slow scan that is right by construction: every name and value is looked at.

    Raises:
        Malformed: with a JSON Pointer for every fault.
    """
    try:
        tree = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_Members,
            parse_int=_number,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        raise Malformed([("", "not well-formed JSON in UTF-8 within the limits")]) from None
    scan = _Scan(limits)
    scan.visit(tree, "", limits.depth)
    if scan.faults:
        raise Malformed(scan.faults)


def _number(text: str) -> float:
    # Long digits would cost quadratic time as an int; a float of the same size is refused alike.
    return int(text) if len(text) <= 17 else float(text)


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


class _Scan:
    """One walk over a tree with repeated names kept, collecting at most 16 faults."""

    _MOST = 16

    def __init__(self, limits: Limits) -> None:
        self.faults: list[tuple[str, str]] = []
        self._limits = limits
        self._left = limits.members

    def visit(self, node: Any, pointer: str, depth: int) -> None:
        if len(self.faults) >= self._MOST:
            return
        if isinstance(node, _Members | list):
            self._visit_container(node, pointer, depth)
        elif isinstance(node, str):
            self._check_text(node, pointer)
        elif (
            isinstance(node, int | float)
            and not isinstance(node, bool)
            and not -MAX_NUMBER <= node <= MAX_NUMBER
        ):
            self._fault(pointer, "a number beyond 2^53")

    def _visit_container(self, node: list[Any], pointer: str, depth: int) -> None:
        if depth == 0:
            return self._fault(pointer, "nested too deeply")
        self._left -= len(node)
        if self._left < 0:
            return self._fault("", "too many members")
        if isinstance(node, _Members):
            return self._visit_members(node, pointer, depth)
        for index, item in enumerate(node):
            self.visit(item, f"{pointer}/{index}", depth - 1)
        return None

    def _visit_members(self, node: _Members, pointer: str, depth: int) -> None:
        seen: set[str] = set()
        for name, value in node:
            self._check_text(name, pointer)
            place = member(pointer, name)
            if name in seen:
                self._fault(place, "a repeated member name")
            seen.add(name)
            self.visit(value, place, depth - 1)

    def _check_text(self, text: str, pointer: str) -> None:
        if "\0" in text:
            self._fault(pointer, "a NUL character")
        if len(text) > self._limits.string:
            self._fault(pointer, "a string that is too long")

    def _fault(self, pointer: str, reason: str) -> None:
        self.faults.append((pointer, reason))


def member(pointer: str, name: str) -> str:
    """The pointer of a member, or of its object where the name should not be repeated."""
    return f"{pointer}/{name}" if _SAYABLE.match(name) else pointer
