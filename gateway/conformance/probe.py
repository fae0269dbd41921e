"""Requests to a city, one after the other, each bounded; every answer is remembered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
import msgspec

from gateway.recognition.trust_list import MAX_BYTES

#: How long a city may take at all, in seconds; beyond that it has not answered.
PATIENCE_S: Final = 6.0
#: And how much it may say, in bytes.
_LIMIT: Final = MAX_BYTES
#: What stands before a city says these where the city itself does not answer (RFC 9110 15.6).
_NOBODY: Final = frozenset({0, 502, 503, 504})
#: And these, where nothing of the kind is at an address.
_NOTHING: Final = frozenset({404, 405, 410, 501})


class Answer(msgspec.Struct, frozen=True):
    """What came back; `status` is 0 where nothing did, and `fault` says why."""

    method: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    began_s: float
    took_s: float
    fault: str = ""

    @property
    def said(self) -> str:
        """The answer in a few words."""
        error = self.error
        return self.fault or f"answered {self.status}" + (f" {error}" if error else "")

    @property
    def is_none(self) -> bool:
        """Whether the city did not answer: it is not there, or what stands before it says so."""
        return self.status in _NOBODY

    @property
    def finds_nothing(self) -> bool:
        """Whether nothing that could be judged is at the address, by any answer or none."""
        return self.is_none or self.status in _NOTHING

    @property
    def place(self) -> str:
        """What was asked, without what was said to it."""
        return f"{self.method} {self.url.partition('?')[0]}"

    @property
    def media_type(self) -> str:
        """Of its body, in lower case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def members(self) -> dict[str, Any]:
        """Its JSON object; empty where it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def error(self) -> str:
        """The `error` of RFC 6749 5.2, as far as there is one."""
        error = self.members.get("error") if self.media_type == "application/json" else None
        return error if isinstance(error, str) else ""


class Probe:
    """One client for one look at a city. No redirect is followed."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        # What the environment says of proxies is not what the city says.
        self._client = httpx.Client(timeout=PATIENCE_S, trust_env=False)

    def get(self, url: str, accept: str = "*/*") -> Answer:
        """Read an address."""
        return self._kept("GET", url, headers={"accept": accept})

    def post(self, url: str, form: Mapping[str, str] | bytes) -> Answer:
        """Post a form, or a body that is none."""
        if isinstance(form, bytes):
            headers = {"content-type": "application/x-www-form-urlencoded"}
            return self._kept("POST", url, content=form, headers=headers)
        return self._kept("POST", url, data=dict(form))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _kept(self, method: str, url: str, **given: Any) -> Answer:
        try:
            answer = self._sent(self._client.build_request(method, url, **given))
        except (httpx.InvalidURL, UnicodeError):
            answer = Answer(method, url, 0, {}, b"", time.time(), 0.0, "not an address")
        self.answers.append(answer)
        return answer

    def _sent(self, request: httpx.Request) -> Answer:
        method, url, headers, body = request.method, str(request.url), dict[str, str](), b""
        began_s, began, status, fault = time.time(), time.monotonic(), 0, ""
        try:
            response = self._client.send(request, stream=True)
            with_body = response.iter_bytes()
            headers = {name.lower(): value for name, value in response.headers.items()}
            for chunk in with_body:
                body += chunk
                if len(body) > _LIMIT or time.monotonic() - began > PATIENCE_S:
                    raise httpx.ReadError("too much, or too slowly")
            status = response.status_code
            response.close()
        except httpx.HTTPError as failure:
            fault = f"no usable answer ({type(failure).__name__})"
        took_s = time.monotonic() - began
        return Answer(method, url, status, headers, body, began_s, took_s, fault)
