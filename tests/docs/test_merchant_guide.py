"""The merchant's guide works: its commands are run word for word against a city, and its outputs
have the shape that it shows."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.edge.problems import TABLE
from gateway.webhooks import signature
from tests.docs.commands import follow, up
from tests.docs.pages import ROOT, blocks, text

GUIDE = ROOT / "docs" / "merchants.md"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which `qianjiang up` has brought a small city up."""
    with up(tmp_path_factory.mktemp("guide")) as environment:
        yield environment


def test_the_guide_leads_from_nothing_to_an_answer(city: dict[str, str]) -> None:
    compared = follow(GUIDE, city, timeout_s=60)
    assert compared >= 10, "the guide shows what its commands print"


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
