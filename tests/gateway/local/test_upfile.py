"""`up.json` is private, whole, and enough to prove who a party is."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from gateway.claims import Kind
from gateway.cli.assertion import assertion
from gateway.client_keys import new_client_key
from gateway.clock import SystemClock
from gateway.jose import Passed, Refused, verify
from gateway.jwk import Key, parse_jwk
from gateway.local import upfile
from gateway.local.upfile import NotUp, UpDesk, UpFile, UpParty, UpPersona

ISSUER = "http://127.0.0.1:8700"
KEYS = new_client_key()
SHOP = UpParty("merchant", "shop", KEYS.private, ["scenario:rent"])
UP = UpFile(
    ISSUER,
    "http://127.0.0.2:8701",
    [SHOP],
    [UpDesk("100101", "shop", "counter", "示例柜台", None, None)],
    [UpPersona("lin", {"zh": "故事", "en": "story"}, {"shop": "s"})],
    "subjects.txt",
)


class Known:
    """A registry that knows the shop's public key."""

    def find(self, kind: Kind, issuer: str, kid: str) -> Key | None:
        key = parse_jwk(msgspec.json.encode(KEYS.public))
        return key if (issuer, kid) == ("shop", KEYS.public["kid"]) else None


def test_the_file_is_its_owners_alone_and_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / upfile.NAME
    upfile.write(path, UP)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert upfile.read(path) == UP


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotUp, match="make up"):
        upfile.read(tmp_path / upfile.NAME)


def test_a_file_of_another_version_is_not_called_missing(tmp_path: Path) -> None:
    path = tmp_path / upfile.NAME
    path.write_text("{}")
    with pytest.raises(NotUp, match=r"not an up\.json of this version; run `make up` again"):
        upfile.read(path)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b'{"a":' * 50_000])
def test_what_is_no_such_file_is_said_so(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "up.json"
    file.write_bytes(raw)
    with pytest.raises(NotUp, match=r"not an up\.json of this version"):
        upfile.read(file)


def test_no_more_is_read_of_a_file_than_it_can_have() -> None:
    with pytest.raises(OSError, match="too large"):
        upfile.read(Path("/dev/zero"))


def test_an_unknown_party_is_told_who_there_is() -> None:
    with pytest.raises(NotUp, match="shop"):
        UP.party("nobody")


def test_an_assertion_passes_the_guard_and_is_another_every_time() -> None:
    tokens = [assertion(ISSUER, SHOP) for _ in range(2)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        answer = verify(
            token,
            Kind.ASSERTION,
            Known(),
            issuer="shop",
            audience=ISSUER,
            now_us=SystemClock().now_us(),
        )
        assert isinstance(answer, Passed)


def test_an_assertion_is_for_one_gateway_only() -> None:
    answer = verify(
        assertion("http://127.0.0.1:9999", SHOP),
        Kind.ASSERTION,
        Known(),
        issuer="shop",
        audience=ISSUER,
        now_us=SystemClock().now_us(),
    )
    assert isinstance(answer, Refused)
