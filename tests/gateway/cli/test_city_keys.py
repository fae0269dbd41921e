"""`qianjiang cities rotate` and `retire`: keys towards other cities change with an overlap."""

from __future__ import annotations

import stat

from gateway.keys import load_keys
from gateway.recognition.entry import parse_entry
from tests.gateway.cli.office import Listed, Office, in_thread


async def test_a_key_changes_with_an_overlap_and_signs_when_the_list_has_it(
    offices: tuple[Office, Office], listed: Listed
) -> None:
    a, _ = offices
    people = [a.operator(name)[1] for name in ("li", "wang")]
    (old,) = load_keys(a.keys).city_grant
    await listed.publish([a.entry(*people)], {})
    told = a.done("rotate", "grant")
    keyring = load_keys(a.keys)
    new, signing = keyring.city_grant
    assert signing == old, "the old key signs while the new one is announced"
    assert f"qianjiang cities retire grant {old}" in told
    assert stat.S_IMODE(a.keys.stat().st_mode) == 0o600
    early = await in_thread(a, "retire", "grant", old)
    assert early.exit_code == 1
    assert "the region's list does not have it yet" in early.output
    await listed.publish([entry := a.entry(*people)], {})
    assert {("grant", old), ("grant", new)} <= parse_entry(entry.encode()).keys.keys()
    assert (await in_thread(a, "retire", "grant", old)).exit_code == 0
    changed = load_keys(a.keys)
    assert list(changed.city_grant) == [new]
    assert changed.city_client.keys() == keyring.city_client.keys(), "nothing else changed"
    assert changed.subject == keyring.subject


def test_the_only_key_is_never_taken_out_and_a_lost_one_at_once(
    offices: tuple[Office, Office],
) -> None:
    a, _ = offices
    (old,) = load_keys(a.keys).city_status
    before = a.keys.read_bytes()
    assert "is the only one" in a.run("retire", "status", old).output
    assert "no key 'absent'" in a.run("retire", "status", "--force", "absent").output
    assert a.run("rotate", "pseudonyms").exit_code != 0
    assert a.keys.read_bytes() == before
    a.done("rotate", "status")
    a.done("retire", "status", "--force", old)
    assert old not in load_keys(a.keys).city_status


def test_a_key_file_is_changed_whole_or_not_at_all(offices: tuple[Office, Office]) -> None:
    a, _ = offices
    beside = a.keys.with_name("keys.json.new")
    beside.write_text("half")
    before = a.keys.read_bytes()
    assert "another change is under way" in a.run("rotate", "client").output
    assert a.keys.read_bytes() == before
    beside.unlink()
    for _ in range(3):
        a.done("rotate", "client")
    assert "retire one first" in a.run("rotate", "client").output
    assert not beside.exists()
    a.keys.chmod(0o644)
    assert "chmod 600" in a.run("rotate", "grant").output
