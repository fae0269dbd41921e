"""`status-lists.json`: bits, compression, and lists of section 8."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from tests.protocol.making.cases import Group
from tests.protocol.making.forgeries import Honest, forgeries
from tests.protocol.making.jws import GONE, Pair, b64, header, signed
from tests.protocol.making.world import ISSUERS, NOW, A, B, key

TYP = "statuslist+jwt"
ADDRESS = f"{ISSUERS[A]}/status-lists/1"
BY = key(A, "status")
ENTRIES = 131_072
ONES = (0, 5, 12, 4711, 131_071)


def bits(ones: tuple[int, ...] = ONES, entries: int = ENTRIES) -> bytes:
    """The bits, entry 0 in the lowest bit of the first byte (Token Status List 4.1)."""
    raw = bytearray(entries // 8)
    for index in ones:
        raw[index // 8] |= 1 << index % 8
    return bytes(raw)


def packed(raw: bytes) -> str:
    """As `lst` has it."""
    return b64(zlib.compress(raw, 9))


def claims(**changes: Any) -> dict[str, Any]:
    """The payload of the honest list, with changes."""
    return {
        "iss": ISSUERS[A],
        "sub": ADDRESS,
        "iat": NOW - 4,
        "exp": NOW + 56,
        "ttl": 15,
        "status_list": {"bits": 1, "lst": packed(bits())},
    } | changes


def document(by: Pair = BY, /, **changes: Any) -> str:
    """The honest list, with changes to its payload."""
    return signed(header(TYP, by), claims(**changes), by)


def lst(text: Any, size: Any = 1) -> str:
    """A list of other bits."""
    return document(status_list={"bits": size, "lst": text})


def make() -> Group:
    """The file."""
    keys = [key(A, "status").jwk, key(A, "status-ed").jwk]
    group = Group(
        "Section 8: is the `document`, fetched from `address`, a good status list of `issuer` at "
        "`now`, for a reader that has seen one of `seen_iat`; which is the bit at `idx`, and until "
        "when is the issuer fresh?",
        {
            "now": NOW,
            "fetch_began": NOW - 1,
            "address": ADDRESS,
            "issuer": ISSUERS[A],
            "keys": keys,
            "document": document(),
            "seen_iat": None,
            "idx": 4711,
        },
    )
    for part in (_bits, _compression, _lists, _form):
        part(group)
    return group


def follows(bit: int, fresh_until: int = NOW + 36) -> dict[str, Any]:
    """What a good list says."""
    return {"bit": bit, "fresh_until": fresh_until}


def _bits(group: Group) -> None:
    for index in (0, 1, 4, 5, 7, 8, 11, 12, 4710, 4711, 4712, 131_070, 131_071):
        bit = int(index in ONES)
        group.accept(f"bit-{index}", f"entry {index}", follows(bit), idx=index)
    group.refuse("beyond", "there is no such entry", "index", idx=ENTRIES)
    group.refuse("far-beyond", "there is no such entry", "index", idx=2**31 - 1)
    large = document(status_list={"bits": 1, "lst": packed(bits((9,), 2**20))})
    group.accept("large", "2^20 entries", follows(1), document=large, idx=9)
    group.accept("large-last", "2^20 entries, the last", follows(0), document=large, idx=2**20 - 1)
    unpacked = zlib.compress(bits(), 0)
    fast = lst(b64(zlib.compress(bits(), 1)))
    group.accept("other-level", "compressed less well", follows(1), document=fast)
    group.accept("stored", "not compressed at all", follows(1), document=lst(b64(unpacked)))


def _compression(group: Group) -> None:
    raw = bits()
    good = zlib.compress(raw, 9)
    deflated = zlib.compressobj(9, zlib.DEFLATED, -15)
    for name, why, odd in (
        (
            "raw-deflate",
            "DEFLATE without the ZLIB format",
            deflated.compress(raw) + deflated.flush(),
        ),
        ("gzip", "the GZIP format", gzip.compress(raw, 9, mtime=0)),
        ("uncompressed", "the bits themselves", raw[:64]),
        ("cut", "cut short", good[:-9]),
        ("no-checksum", "without its checksum", good[:-4]),
        ("checksum", "a wrong checksum", good[:-1] + bytes([good[-1] ^ 1])),
        ("trailing", "bytes after the end", good + b"\0"),
        ("bomb", "16 MiB of zeros", zlib.compress(bytes(2**24), 9)),
    ):
        group.refuse(f"zlib-{name}", why, "bits", document=lst(b64(odd)))
    text = packed(raw)
    group.refuse(
        "lst-padded", "lst is padded", "bits", document=lst(text + "=" * (-len(text) % 4 or 4))
    )
    group.refuse("lst-alphabet", "lst is not base64url", "bits", document=lst("+/+/" + text))
    group.refuse("lst-absent", "lst is missing", "claims",
                 document=document(status_list={"bits": 1}))  # fmt: skip
    group.refuse("lst-empty", "lst is empty", "claims", document=lst(""))
    for size in (2, 0, "1", 1.5, True):
        group.refuse(f"bits-{size}", "bits is not 1", "claims", document=lst(text, size))


def _lists(group: Group) -> None:
    eddsa = document(key(A, "status-ed"))
    group.accept("eddsa", "by A's other status key", follows(1), document=eddsa)
    group.accept("same-iat", "as old as the one before", follows(1), seen_iat=NOW - 4)
    group.accept("fetch-slow", "the fetch began before iat", follows(1, NOW + 30),
                 fetch_began=NOW - 10)  # fmt: skip
    group.accept("clock-ahead", "A's clock is 10 s ahead: the fetch counts", follows(1, NOW + 39),
                 document=document(iat=NOW + 10, exp=NOW + 70))  # fmt: skip
    group.accept("short", "exp comes before 40 s are over", follows(1, NOW + 6),
                 document=document(exp=NOW + 6))  # fmt: skip
    group.accept("last-second", "it ends with the next second, and is fresh no more",
                 follows(1, NOW - 19), document=document(iat=NOW - 59, exp=NOW + 1))  # fmt: skip
    for name, why, reason, changes in (
        ("over", "it has ended", "expired", {"iat": NOW - 60, "exp": NOW}),
        ("long-life", "61 s of life", "lifetime", {"exp": NOW + 57}),
        ("ahead", "from 11 s ahead", "not-yet", {"iat": NOW + 11, "exp": NOW + 60}),
        ("sub-other", "sub is another list", "audience", {"sub": ADDRESS[:-1] + "2"}),
        ("sub-slash", "sub has a slash at the end", "audience", {"sub": ADDRESS + "/"}),
        ("iss-other", "iss is another city", "issuer", {"iss": ISSUERS[B]}),
        ("ttl-long", "ttl above 30 s", "claims", {"ttl": 31}),
        ("ttl-none", "ttl is missing", "claims", {"ttl": GONE}),
        ("no-exp", "exp is missing", "claims", {"exp": GONE}),
        ("unknown-member", "a member more", "claims", {"note": "示例"}),
    ):
        group.refuse(name, why, reason, document=document(**changes))
    group.refuse("older", "older than one seen before", "older", seen_iat=NOW - 3)
    by_grant = document(key(A, "grant"))
    group.refuse("by-grant-key", "by A's grant key", "key", document=by_grant)
    group.refuse("by-other-city", "by B's status key", "key", document=document(key(B, "status")))


def _form(group: Group) -> None:
    wanted = {"alg-none-signed", "hmac-jwk", "signature-zeros", "signature-der", "header-crit",
              "header-jwk", "header-zip", "typ-absent", "typ-upper", "spelling-padded",
              "member-twice"}  # fmt: skip
    for name, why, reason, forged in forgeries(Honest(TYP, claims(), BY)):
        if name in wanted:
            group.refuse(name, why, reason, document=forged)
    for typ in ("JWT", "recognition+jwt", "trust-list+jwt", "statuslist+cwt"):
        forged = signed(header(typ, BY), claims(), BY)
        group.refuse(f"typ-{typ}", f"typ is {typ}", "type", document=forged)
