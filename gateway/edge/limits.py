"""A party's limit in an answer's header fields (draft-ietf-httpapi-ratelimit-headers).

`RateLimit-Policy: "party";q=4000;w=2` is what the party has: `q` requests in any `w` seconds.
`RateLimit: "party";r=3120;t=1` is what is left of it, and the seconds until all of it is there
again or, with nothing left, until some is.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.gcra import Quota

Fields = tuple[tuple[bytes, bytes], ...]

#: The one policy's name, also in the `violated-policies` of a refusal.
PARTY = "party"


def fields(quota: Quota) -> Fields:
    """The two header fields; all answers of one batch share them."""
    return _fields(quota.quota, quota.window_s, quota.remaining, quota.reset_s)


@lru_cache(maxsize=1024)
def _fields(quota: int, window_s: int, remaining: int, reset_s: int) -> Fields:
    return (
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (PARTY.encode(), quota, window_s)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (PARTY.encode(), remaining, reset_s)),
    )
