"""A log line is made of known keys with values of a known shape, whoever writes it."""

from __future__ import annotations

import ast
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gateway
from gateway.logs import ALLOWED, Lines, Words, kept

PERSONAL = [
    *("990101199001011234", "13800138000", "张三", "+86 138 0013 8000", "zhang@example.org"),
    *("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "Bearer abc", "Zhang San", "ad-3", "x" * 65),
    *("line\nbreak", "", "\N{FULLWIDTH LATIN SMALL LETTER A}", 13800138000, 990101199001011234),
]


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("key", [*ALLOWED, "name", "subject", "body", "headers", "token"])
def test_no_key_takes_what_may_be_personal(key: str, value: object) -> None:
    assert kept({key: value}) == {"dropped": 1}


@given(
    st.dictionaries(st.text(), st.text(alphabet=st.characters(min_codepoint=48, max_codepoint=57)))
)
def test_an_unknown_key_is_counted_and_its_name_and_value_go_nowhere(said: dict[str, str]) -> None:
    unknown = {key: value for key, value in said.items() if key not in ALLOWED}
    assert kept(unknown) == ({"dropped": len(unknown)} if unknown else {})


def test_what_the_gateway_says_is_kept() -> None:
    said: dict[str, object] = {
        "event": "commit_failed",
        "level": "error",
        "sqlstate": "40P01",
        "reason": "ConnectionDoesNotExistError",
        "count": 3,
        "places": ["/srv/gateway/app.py:12 <module>", "asyncpg/protocol/protocol.pyx:374 query"],
    }
    assert kept(said) == said


@pytest.mark.parametrize("error", ["ConnectTimeout", "status 410", "nowhere to send it"])
def test_an_error_may_be_a_few_words_and_a_status(error: str) -> None:
    assert kept({"error": error}) == {"error": error}
    assert kept({"error": f"{error} 13800138000"}) == {"dropped": 1}


def test_places_are_all_places_or_none() -> None:
    assert kept({"places": ["/a.py:1 f", "13800138000"]}) == {"dropped": 1}
    assert kept({"places": "/a.py:1 f"}) == {"dropped": 1}


def _line(message: Any, *arguments: object, error: BaseException | None = None) -> dict[str, Any]:
    told = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("httpx", 30, "/lib/_client.py", 7, message, arguments, told, "send")
    line: dict[str, Any] = json.loads(Lines().format(record))
    return line


def test_a_library_is_reduced_to_a_place_in_its_source() -> None:
    line = _line("HTTP Request: %s %s", "GET", "https://id.example/?id_number=990101199001011234")
    assert line.pop("at").endswith("Z")
    assert line == {
        "logger": "httpx",
        "event": "library",
        "level": "warning",
        "places": ["/lib/_client.py:7 send"],
    }


def test_a_librarys_failure_is_reduced_to_its_class_and_places() -> None:
    try:
        raise ValueError("张三 13800138000")
    except ValueError as fault:
        line = _line("failed for 张三", error=fault)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in line["places"][0]
    assert "张三" not in json.dumps(line, ensure_ascii=False)
    assert "138" not in json.dumps(line["places"])


def test_a_librarys_dictionary_is_not_one_of_ours() -> None:
    assert _line({"event": "hello"})["event"] == "library"
    assert _line(Words(event="hello", secret="s"))["dropped"] == 1


SPEAKER = """
import asyncio, logging, sys, warnings
from gateway import logs
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)
library = logging.getLogger("authlib"); library.addHandler(logging.StreamHandler(sys.stdout))
logs.configure()
import structlog
structlog.get_logger("gateway.x").info("hello", count=2, id_number="13800138000")
library.warning("13800138000"); library.info("13800138000")
logging.getLogger("later").error("13800138000", stack_info=True)
warnings.warn("13800138000")
class Thing:
    def __del__(self): raise ValueError("13800138000")
Thing()
async def fail(): raise ValueError("13800138000")
async def main():
    task = asyncio.create_task(fail(), name="13800138000")
    await asyncio.sleep(0)
asyncio.run(main())
import gc; gc.collect()
"""


def test_a_whole_process_says_nothing_but_lines_of_known_keys() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPEAKER], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == ""
    assert "13800138000" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[0] | {"at": ""} == {
        "at": "",
        "logger": "gateway.x",
        "event": "hello",
        "level": "info",
        "count": 2,
        "dropped": 1,
    }
    loggers = [line["logger"] for line in lines[1:]]
    assert loggers == ["authlib", "later", "py.warnings", "gateway.logs", "asyncio"]
    for line in lines:
        assert line.keys() <= {*ALLOWED, "at", "dropped"}


def _spoken() -> list[tuple[str, str]]:
    """Every keyword that the gateway's code logs under."""
    found = []
    for path in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("_log")), keywords=keywords):
                    found += [(f"{path.name}:{node.lineno}", word.arg or "**") for word in keywords]
    return found


def test_the_gateway_logs_under_known_keys_alone() -> None:
    spoken = _spoken()
    assert spoken
    assert [(place, key) for place, key in spoken if key not in ALLOWED] == []
