"""Every operation of the published contract, asked in many ways: no failure, and only problems.

The requests are drawn from `/openapi.json` alone, sent to a real server by the caller that each
operation names, so that they get past the door and meet the code behind it.
"""

from __future__ import annotations

import http.client
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.http.canaries import proof
from tests.gateway.http.door import HOST, Door
from tests.gateway.http.shapes import Shapes

#: Requests of each operation: of every run, and at night.
EXAMPLES = (8, pytest.param(100, marks=pytest.mark.nightly))
#: What answers in the words of RFC 6749 5.2.
OAUTH = ("/oauth/token", "/oauth/par", "/v1/visits/token")

#: Needs the identity provider, which is not there: an honest 503.
NEEDS_PROVIDER = "/v1/login"


class Operation(msgspec.Struct, frozen=True):
    """One operation of the document."""

    path: str
    method: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[int]:
        """The answers that are described, besides problems."""
        return {int(status) for status in self.told["responses"] if status.isdigit()}


class Asked(msgspec.Struct, frozen=True):
    """A drawn request."""

    target: str
    headers: dict[str, str]
    body: bytes


class Server:
    """A connection that is opened again when the server closes it."""

    def __init__(self, door: Door) -> None:
        self._connection = http.client.HTTPConnection(HOST, door.port, timeout=10)
        document = self.ask("GET", Asked("/openapi.json", {}, b""))[2]
        self.document: dict[str, Any] = json.loads(document)
        known = {"scenario": "rent", "purpose": "deposit_free_rental"}
        self.shapes = Shapes(self.document, known | {"subject": door.caller.subject})

    def ask(self, method: str, asked: Asked, tries: int = 5) -> tuple[int, str, bytes]:
        """One answer. A refused request's connection is closed, sometimes while we still send."""
        try:
            self._connection.request(method, asked.target, asked.body or None, asked.headers)
            answer = self._connection.getresponse()
            media = answer.getheader("content-type", "")
            if media.startswith("text/event-stream"):  # has no end: its beginning will do
                told = answer.read1()
                self._connection.close()
                return answer.status, media, told
            return answer.status, media, answer.read()
        except (ConnectionError, http.client.HTTPException):
            self._connection.close()
            if tries == 1:
                raise
            return self.ask(method, asked, tries - 1)

    def operations(self) -> Iterator[Operation]:
        # Signing out last: it ends the session that the others are sent with.
        for path, item in sorted(
            self.document["paths"].items(), key=lambda pair: "logout" in pair[0]
        ):
            for method, told in item.items():
                yield Operation(path, method.upper(), told)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def server(door: Door) -> Iterator[Server]:
    opened = Server(door)
    yield opened
    opened.close()


def asked(door: Door, shapes: Shapes, operation: Operation) -> st.SearchStrategy[Asked]:
    """Requests of an operation."""
    names = re.findall(r"{(\w+)}", operation.path)
    values = st.fixed_dictionaries({name: _segment(name) for name in names})
    target = values.map(
        lambda found: operation.path.format_map({n: quote(v, safe="") for n, v in found.items()})
    )
    if operation.method == "GET":
        target = st.one_of(target, st.builds(lambda t, q: f"{t}?{q}", target, _query(operation)))
    base = proof(door, operation.told["security"])
    key = st.sampled_from(['"k"', '"', "k", '"k-1"', "x" * 300, '"\\"q"'])
    headers = st.one_of(st.just(base), key.map(lambda k: base | {"idempotency-key": k}))
    content = operation.told.get("requestBody", {}).get("content", {})
    if not content:
        return st.builds(Asked, target, headers, st.just(b""))
    media, described = next(iter(content.items()))
    bodies = st.one_of(
        shapes.near(described["schema"]).map(lambda value: _encoded(value, media)),
        st.binary(max_size=40),
    )
    return st.builds(Asked, target, headers.map(lambda h: h | {"content-type": media}), bodies)


def _segment(name: str) -> st.SearchStrategy[str]:
    known = ["rent", "library"] if name == "scenario" else ["A" * 43, "x"]
    words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)
    return st.one_of(st.sampled_from(known), st.uuids().map(str), words)


def _query(operation: Operation) -> st.SearchStrategy[str]:
    names = [each["name"] for each in operation.told.get("parameters", ()) if each["in"] == "query"]
    value = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
                      st.integers().map(str))  # fmt: skip
    return st.dictionaries(st.sampled_from([*names, "x", "return_to"]), value, max_size=3).map(
        urlencode
    )


def _encoded(value: Any, media: str) -> bytes:
    if media != "application/json":
        pairs = value.items() if isinstance(value, dict) else [("x", value)]
        return urlencode([(str(k), str(v)) for k, v in pairs], errors="replace").encode()
    return json.dumps(value).encode()


def check(operation: Operation, status: int, media: str, body: bytes, kinds: set[str]) -> None:
    """What holds for every answer."""
    assert status < 500 or (operation.path.startswith(NEEDS_PROVIDER) and status == 503), body
    if status < 400:
        assert status in operation.statuses, "an answer that the contract does not name"
        return
    told = json.loads(body)
    if operation.path in OAUTH and media == "application/json":
        assert told.keys() <= {"error", "error_description"}, "RFC 6749 5.2"
        return
    assert media == "application/problem+json"
    assert (told["status"], told["type"] in kinds) == (status, True)
    assert told.keys() <= {"type", "status", "title", "errors"}


class Fuzz:
    """Asks operation after operation, and counts what was answered."""

    def __init__(self, door: Door, server: Server, examples: int) -> None:
        self.door, self.server, self.examples = door, server, examples
        self.seen: Counter[int] = Counter()
        problem = server.document["components"]["schemas"]["Problem"]
        self._kinds = set(problem["properties"]["type"]["enum"])

    def run(self, operation: Operation) -> None:
        """So many requests of one operation; the smallest that breaks a rule is shown."""

        @settings(max_examples=self.examples, database=None, deadline=None)
        @given(asked(self.door, self.server.shapes, operation))
        def every(request: Asked) -> None:
            status, media, body = self.server.ask(operation.method, request)
            self.seen[status] += 1
            check(operation, status, media, body, self._kinds)

        every()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_no_request_fails_and_every_error_is_a_problem(
    door: Door, server: Server, examples: int
) -> None:
    workers, fuzz, faults = door.workers, Fuzz(door, server, examples), []
    operations = list(server.operations())
    for operation in operations:
        try:
            fuzz.run(operation)
        except AssertionError as fault:
            faults.append((operation.name, str(fault), fault.__notes__))
    assert faults == []
    assert door.workers == workers, "no worker died"
    assert {200, 201, 400, 404} <= set(fuzz.seen), fuzz.seen
    assert sum(fuzz.seen.values()) > examples / 3 * len(operations)
