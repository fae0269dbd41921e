"""The checks by name: the law, the section of docs/protocol/recognition.md, and the remedy."""

from __future__ import annotations

from typing import Final

import msgspec


class Check(msgspec.Struct, frozen=True):
    """What must hold, where that is written, and what to do where it does not."""

    law: str
    section: str
    remedy: str


_ENTRY = "send the region an entry that is right, and wait ten seconds"
_ERRORS = "answer with an error of RFC 6749 5.2, as JSON with `error`, and decide nothing"

CHECKS: Final[dict[str, Check]] = {
    "list.good": Check(
        "the region's list is signed by its pinned key and good now",
        "3",
        "ask the region; compare address and pinned keys with what it told you",
    ),
    "list.entry": Check("an entry has this issuer and is whole", "3", _ENTRY),
    "list.keys": Check(
        "each of its keys stands once in the list",
        "3",
        "make a new key for each purpose and person, and send the entry again",
    ),
    "city.answers": Check(
        "it answers at its issuer, and at each address of its entry",
        "9",
        "see that it runs, that this machine reaches it, and that its entry has its addresses",
    ),
    "agreements.scheme": Check(
        "both cities' entries list the scheme of each agreement",
        "3.1",
        "add the scheme to the entry that lacks it, or agree on one that both have",
    ),
    "schemes.published": Check(
        "the scheme that it publishes is the one that its partner publishes",
        "4.5",
        "publish the version as it was agreed; a change is a new version",
    ),
    "metadata.served": Check(
        "its metadata is at /.well-known/oauth-authorization-server",
        "6",
        "serve RFC 8414 metadata as JSON with status 200",
    ),
    "metadata.issuer": Check(
        "its metadata names the issuer of the entry, exactly",
        "1",
        "one spelling: https origin, no trailing slash, the same in entry and metadata",
    ),
    "metadata.endpoints": Check(
        "its metadata has the endpoints of the entry",
        "6",
        "send the region the entry with the addresses that are served",
    ),
    "metadata.members": Check(
        "its metadata offers what the flow needs, and nothing weaker",
        "6",
        "see RFC 8414, 9126 5, 7636, 9207 3 and 9449 5.1 for the member that is named",
    ),
    "par.client": Check(
        "a request that nobody signed is not taken: 401 invalid_client",
        "6.2",
        "authenticate the client before anything else of a pushed request is read",
    ),
    "par.forged": Check(
        "nor is one with a forged assertion",
        "2",
        "verify the assertion by a `client` key of the list; " + _ERRORS,
    ),
    "token.client": Check(
        "a code that nobody signed for is not redeemed: 401 invalid_client",
        "6.5",
        "authenticate the client at the token endpoint, whatever the grant type",
    ),
    "token.bearer": Check(
        "a grant that is none is refused",
        "7",
        "refuse what is not a grant with invalid_grant, after the client is known",
    ),
    "token.grant_type": Check("other grant types are refused", "9", _ERRORS),
    "token.garbage": Check("a body that is no form is refused", "9", _ERRORS),
    "authorize.page": Check(
        "a request that was never pushed is a page, and leads nowhere",
        "9",
        "answer 4xx with a page; redirect only to an address of a pushed request",
    ),
    "callback.stranger": Check(
        "who comes back without having set out is led nowhere else",
        "6.4",
        "require the attempt of this browser before `code` is used",
    ),
    "status.served": Check(
        "its status list is served as application/statuslist+jwt",
        "8.1",
        "answer 200 with that media type; name the list by --status-list",
    ),
    "status.signed": Check(
        "it is signed by a `status` key of the entry, for this address",
        "8",
        "sign `typ: statuslist+jwt` by a listed key; `iss` the issuer, `sub` the address",
    ),
    "status.times": Check(
        "`iat` is not ahead, `exp` at most 60 s after it, `ttl` 1 to 30 s",
        "8.2",
        "take `iat` from the instant of the bits, and bound the two others",
    ),
    "status.fresh": Check(
        "its bits are at most 5 s old, clocks within 10 s allowed",
        "8.2",
        "rebuild the list every few seconds, and let no cache hold it",
    ),
    "status.size": Check(
        "it has 2^17 to 2^20 entries of one bit, as one ZLIB stream",
        "8.1",
        "`bits` 1, `lst` base64url of one whole ZLIB stream of that many entries",
    ),
    "asking.push": Check(
        "a partner's request is taken: 201 with request_uri and expires_in below 600",
        "6.2",
        "admit the partner; compare its entry, the agreement and the clocks",
    ),
    "asking.pkce": Check("PKCE by `plain` is refused", "6.2", "take S256 alone; " + _ERRORS),
    "asking.redirect": Check(
        "a redirect address of nobody's entry is refused",
        "6.2",
        "compare redirect_uri with the entry, character by character",
    ),
    "asking.scope": Check(
        "a scenario that is not open between the cities is refused",
        "6.2",
        "intersect agreement and both entries; refuse the whole request with invalid_scope",
    ),
    "asking.replay": Check(
        "an assertion is good once",
        "6.2",
        "keep `jti` until the assertion has expired, in one place for all processes",
    ),
    "asking.audience": Check(
        "an assertion for somebody else is refused",
        "6.2",
        "require `aud` to be the own issuer, as one string",
    ),
    "asking.expired": Check(
        "an assertion that is over is refused", "2", "check `exp` by a clock that is kept"
    ),
    "asking.once": Check(
        "a pushed request can be opened, and opened once",
        "6.3",
        "forget request_uri at its first use; answer the second with a page",
    ),
    "asking.code": Check("a code that was never given buys nothing", "6.5", _ERRORS),
    "asking.exchange": Check(
        "a token that was never given is exchanged for nothing", "6.6", _ERRORS
    ),
    "answers.time": Check(
        "it answers within 3 s", "9", "answer before the caller gives up, or say 503"
    ),
    "answers.faults": Check(
        "no answer is a 5xx", "9", "whatever comes in, refuse it by name; see the city's log"
    ),
    "answers.redirects": Check(
        "programs are not redirected", "9", "serve each address of the entry itself"
    ),
    "answers.stored": Check(
        "answers to requests for tokens say Cache-Control: no-store",
        "9",
        "RFC 6749 5.1: no-store on every answer of PAR and token endpoint",
    ),
    "clock": Check("its clock and this one differ by 10 s at most", "2", "keep both clocks by NTP"),
}
