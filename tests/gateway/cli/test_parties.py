"""`qianjiang parties` and `keys`: an operator's commands, one plain line when they fail."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.jwk import parse_jwk
from gateway.keys import load_keys
from tests.engines import Database

PARTIES = """
[[entity]]
id = "wheels"
name = "轮子租赁（示例）"
contact = "示例"

[[party]]
id = "wheels-north"
entity = "wheels"
kind = "merchant"
name = "北山店（示例）"
scenarios = { rent = "wheels" }
keys = [%s]
"""


def run(*words: str, owner_url: str | None = None) -> Result:
    return CliRunner().invoke(main, words, env={"QIANJIANG_OWNER_URL": owner_url})


def failed_plainly(result: Result) -> bool:
    output = result.output
    return result.exit_code == 1 and output.startswith("Error: ") and output.count("\n") == 1


def new_key(folder: Path, name: str) -> dict[str, str]:
    """A party's public key, made by the command that prints it."""
    made = run("keys", "client", str(folder / name))
    assert made.exit_code == 0, made.output
    return msgspec.json.decode(made.output, type=dict[str, str])


@pytest.fixture
def parties_file(tmp_path: Path) -> Path:
    table = ", ".join(f'{k} = "{v}"' for k, v in new_key(tmp_path, "first.jwk").items())
    path = tmp_path / "parties.toml"
    path.write_text(PARTIES % f"{{ {table} }}")
    return path


def test_a_party_is_added_listed_suspended_resumed_and_given_a_new_key(
    database: Database, parties_file: Path, tmp_path: Path
) -> None:
    url = database.owner_url
    assert run("parties", "add", str(parties_file), owner_url=url).output == "added wheels-north\n"
    assert "active" in run("parties", "list", owner_url=url).output
    done = run("parties", "suspend", "wheels-north", owner_url=url)
    assert done.output == "suspended wheels-north\n"
    assert "suspended" in run("parties", "list", owner_url=url).output
    assert run("parties", "resume", "wheels-north", owner_url=url).exit_code == 0
    limit = "parties", "limit", "wheels-north"
    done = run(*limit, "--per-s", "50", owner_url=url)
    assert done.output == "wheels-north: 50 a second, 100 at once\n"
    assert "50/s, 100" in run("parties", "list", owner_url=url).output
    assert run(*limit, "--default", owner_url=url).output == "wheels-north: default\n"
    assert "default" in run("parties", "list", owner_url=url).output
    bound = run("parties", "tokens", "wheels-north", "--dpop", owner_url=url)
    assert bound.output == "wheels-north: DPoP tokens\n"
    assert "DPoP" in run("parties", "list", owner_url=url).output
    unbound = run("parties", "tokens", "wheels-north", "--bearer", owner_url=url)
    assert unbound.output == "wheels-north: Bearer tokens\n"
    assert "DPoP" not in run("parties", "list", owner_url=url).output
    public = tmp_path / "second.public.jwk"
    public.write_bytes(msgspec.json.encode(new := new_key(tmp_path, "second.jwk")))
    words = "parties", "rotate-key", "wheels-north", str(public), "--overlap", "600"
    assert run(*words, owner_url=url).output == f"wheels-north now signs with {new['kid']}\n"


def test_what_cannot_be_done_is_one_plain_line(database: Database, parties_file: Path) -> None:
    url = database.owner_url
    assert failed_plainly(run("parties", "list"))
    assert failed_plainly(run("parties", "suspend", "nobody", owner_url=url))
    assert failed_plainly(run("parties", "limit", "nobody", "--per-s", "5", owner_url=url))
    assert failed_plainly(run("parties", "tokens", "nobody", "--dpop", owner_url=url))
    for words in ([], ["--default", "--per-s", "5"], ["--burst", "5"], ["--default", "--burst=5"]):
        assert failed_plainly(run("parties", "limit", "x", *words, owner_url=url))
    burst = "--per-s", "5", "--burst", "4"
    assert failed_plainly(run("parties", "limit", "wheels-north", *burst, owner_url=url))
    run("parties", "add", str(parties_file), owner_url=url)
    assert failed_plainly(run("parties", "add", str(parties_file), owner_url=url))
    assert failed_plainly(run("parties", "rotate-key", "x", str(parties_file), owner_url=url))
    parties_file.write_bytes(b"\xff[[party]")
    assert failed_plainly(run("parties", "add", str(parties_file), owner_url=url))


def test_fresh_keys_are_usable_private_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert run("keys", "generate", str(path)).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert load_keys(path).token_kid
    assert failed_plainly(run("keys", "generate", str(path)))
    assert path.read_bytes() == before


def test_a_partys_private_key_goes_to_its_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "party.jwk"
    public = new_key(tmp_path, path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    assert private == public | {"d": private["d"]}
    assert "d" not in public
    assert parse_jwk(msgspec.json.encode(public)).kid == public["kid"]
    assert failed_plainly(run("keys", "client", str(path)))
