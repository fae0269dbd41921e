"""What the peers without a decision of their own answer: JSON as long as a decision's."""

from __future__ import annotations

ANSWER = (
    b'{"decision_id":"01a20583-8a14-7c1e-a0d5-6f1b7a0c9e55","outcome":"eligible","obligations":'
    b'[{"id":"no_deposit","en":"Takes no deposit, and nothing like it under another name."}],'
    b'"valid_until":"2026-11-22T23:08:13.120Z","policy":{"scenario":"rent",'
    b'"revision":"JF1qUdlT3eMEViTDY4l8Z0yVjW8ivcXBD1A0QNwmLHg"},"freshness":{"score_as_of":'
    b'"2026-11-23","decided_at":"2026-11-22T23:07:13.120Z"},"receipt":'
    b'"3q2-7wTFY6rW0x1c8s0m2b1Qf9mJt4rQz0o5h2mVb3E"}'
)
