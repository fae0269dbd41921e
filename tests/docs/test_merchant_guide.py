"""The merchant's guide works: its commands are run word for word against a city, and its outputs
have the shape that it shows."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.edge.problems import TABLE
from gateway.local import upfile
from gateway.local.places import Places
from gateway.webhooks import signature
from tests.docs.pages import ROOT, blocks, text

GUIDE = ROOT / "docs" / "merchants.md"
MARK = "@@ end of block @@"
#: Members whose very value the guide promises.
PROMISED = {"status", "outcome", "token_type", "expires_in", "scope", "scenario", "kty", "alg"}
#: Members that have no value in a city that has just begun.
EMPTY_AT_FIRST = {"score_as_of"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which `qianjiang up` has brought a small city up."""
    data = tmp_path_factory.mktemp("guide")
    environment = {
        **os.environ,
        "QIANJIANG_DATA": str(data),
        "QIANJIANG_PORT": "0",
        "QIANJIANG_WORKERS": "1",
    }
    up = [sys.executable, "-m", "gateway.cli", "up", "--citizens", "1"]
    with subprocess.Popen(up, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as running:
        try:
            _wait(running, data / "up" / upfile.NAME)
            yield environment
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)
            Places.of(data / "up").remove()


def _wait(running: subprocess.Popen[bytes], file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert running.poll() is None, "the city did not come up"
        assert time.monotonic() < deadline, "the city took too long"
        time.sleep(0.05)


def test_the_guide_leads_from_nothing_to_an_answer(city: dict[str, str]) -> None:
    said = blocks(GUIDE)
    scripts = [block.text for block in said if block.language == "sh"]
    script = "\n".join(["set -euo pipefail", *(f"{each}\necho '{MARK}'" for each in scripts)])
    done = subprocess.run(
        ["bash", "-c", script], env=city, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = iter(done.stdout.split(f"{MARK}\n"))
    shown = 0
    for block, following in pairwise([*said, said[0]]):
        if block.language != "sh":
            continue
        output = next(outputs)
        if following.language == "json":
            assert_alike(json.loads(output), json.loads(following.text))
        elif following.language == "text":
            assert_lines_alike(output, following.text)
        shown += following.language in ("json", "text")
    assert shown >= 10, "the guide shows what its commands print"


def assert_alike(actual: Any, shown: Any, name: str = "") -> None:
    """The same members of the same types all the way down, and what is promised word for word."""
    if name in EMPTY_AT_FIRST and actual is None:
        return
    assert type(actual) is type(shown), name
    if isinstance(shown, dict):
        assert actual.keys() == shown.keys(), name
        for key, value in shown.items():
            assert_alike(actual[key], value, key)
    elif isinstance(shown, list):
        assert_alike(actual[0], shown[0], name)
    elif name in PROMISED:
        assert actual == shown, name


def assert_lines_alike(output: str, shown: str) -> None:
    """Line by line: words as they stand, JSON by its shape, ids by their length; … cuts a line."""
    lines = list(zip(output.splitlines(), shown.splitlines(), strict=False))
    assert len(lines) == len(shown.splitlines()), output
    for actual, line in lines:
        if line.startswith("{"):
            assert_alike(json.loads(actual), json.loads(line))
        elif line.count("-") == 4:
            assert len(actual) == len(line)
        else:
            assert actual.startswith(line.partition("…")[0].rstrip())
    ids = [actual for actual, line in lines if line.count("-") == 4]
    assert len(set(ids)) <= 1, "a repeated question has one decision"


def _verify() -> Any:
    (code,) = (block.text for block in blocks(GUIDE, "python"))
    names: dict[str, Any] = {}
    exec(compile(code, "docs/merchants.md", "exec"), names)
    return names["verify"]


def _message(key: Ed25519PrivateKey, body: str, at_s: int) -> tuple[dict[str, str], str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(key, "msg_1", at_s, body),
    }
    return headers, "whpk_" + base64.b64encode(raw).decode()


def test_the_guides_code_verifies_our_webhooks_and_no_others() -> None:
    verify, now_s = _verify(), int(time.time())
    headers, whpk = _message(Ed25519PrivateKey.generate(), '{"type":"示例"}', now_s)
    verify(headers, '{"type":"示例"}'.encode(), whpk)
    with pytest.raises(InvalidSignature):
        verify(headers, b"{}", whpk)
    with pytest.raises(ValueError, match="old"):
        verify(headers, '{"type":"示例"}'.encode(), whpk, now=now_s + 301)
    with pytest.raises(ValueError, match="kind"):
        verify({**headers, "webhook-signature": "v1,AAAA"}, b"{}", whpk)


def test_every_problem_that_a_party_can_meet_is_in_the_table() -> None:
    table = text(GUIDE).partition("## When something goes wrong")[2].partition("## ")[0]
    citizens = {"login-refused", "adults-only", "identity-refused", "text-changed"}
    citizens |= {"authorization-refused", "nothing-open"}
    citizens |= {"too-many-open", "open-matters", "commitment-refused", "too-many-devices"}
    citizens |= {"visit-refused", "home-city-failed", "not-for-visitors"}
    staff = {"sign-in-refused"}
    transport = {"client-gone", "too-slow", "uri-too-long", "headers-too-large"}
    wanted = {(kind.status, kind.slug) for kind in TABLE.values()}
    missing = [
        slug
        for status, slug in wanted
        if slug not in citizens | staff | transport
        and (f"`{slug}`" not in table or str(status) not in table)
    ]
    assert missing == []
