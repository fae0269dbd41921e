"""The vectors are what the text's own maker makes, and the gateway had no part in it."""

from __future__ import annotations

import ast
import base64
import json
import re
import zlib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.protocol import making, vectors
from tests.protocol.making.files import FOLDER, files

_JWS = re.compile(r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")


def test_the_maker_knows_nothing_of_the_gateway() -> None:
    known = {"__future__", "base64", "copy", "cryptography", "datetime", "gzip", "hashlib", "hmac",
             "json", "pathlib", "typing", "uuid", "zlib", "collections"}  # fmt: skip
    sources = Path(making.__file__).parent.glob("*.py")
    names = chain.from_iterable(map(_imported, sources))
    others = {name for name in names if not name.startswith("tests.protocol.making")}
    assert {name.partition(".")[0] for name in others} <= known


def _imported(source: Path) -> list[str]:
    tree = ast.parse(source.read_text("utf-8"))
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    plain = [node.names for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return [name for name in named if name] + [each.name for each in chain.from_iterable(plain)]


def test_making_them_anew_changes_nothing() -> None:
    made = files()
    assert set(made) == {path.name for path in FOLDER.glob("*.json")}
    for name, text in made.items():
        kept = (FOLDER / name).read_text("utf-8")
        # Another build of zlib compresses otherwise, and what is signed differs with it.
        same = text == kept or _plain(json.loads(text)) == _plain(json.loads(kept))
        assert same, f"{name} is not what is made: python -m tests.protocol.making"


def _plain(value: Any) -> Any:
    """A value in which every status list is unpacked."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and _JWS.match(value):
        head, body, signature = value.split(".")
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        found = re.search(rb'"lst":"([A-Za-z0-9_-]{20,})"', raw)
        if found:
            packed = base64.urlsafe_b64decode(found[1] + b"=" * (-len(found[1]) % 4))
            return [head, raw.replace(found[1], b""), _unpacked(packed)]
        return [head, body, signature]
    return value


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed)[: 2**18]
    except zlib.error:
        return packed[:4]


def test_there_are_enough_of_them() -> None:
    counts = {file: len(vectors.cases(file)) for file in vectors.FILES}
    assert min(counts.values()) >= 30
    assert sum(counts.values()) >= 500


@pytest.mark.parametrize("file", vectors.FILES)
def test_a_file_is_as_its_readme_says(file: str) -> None:
    read = vectors.document(file)
    assert set(read) == {"about", "version", "given", "cases"}
    assert read["version"] == 1
    names = [case["id"] for case in read["cases"]]
    assert len(set(names)) == len(names)
    for case in read["cases"]:
        assert set(case) == {"id", "why", "given", "expect"}
        assert set(case["given"]) - set(read["given"]) <= _ASKED.get(file, set())
        assert list(case["expect"]) in (["accept"], ["refuse"])
    verdicts = {next(iter(case["expect"])) for case in read["cases"]}
    assert verdicts == {"accept", "refuse"}
    assert f"`{file}`" in (FOLDER / "README.md").read_text("utf-8")


#: What a scheme is asked differs from case to case.
_ASKED = {"schemes.json": {"city", "band", "tier", "scenarios", "scenario", "cities"}}


def test_a_case_with_one_fault_differs_from_one_that_is_good() -> None:
    for file in vectors.FILES:
        good = {json.dumps(c.given, sort_keys=True) for c in vectors.cases(file) if not c.reason}
        for case in vectors.cases(file):
            assert not case.reason or json.dumps(case.given, sort_keys=True) not in good
