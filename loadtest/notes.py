"""Why a target was missed, as far as it is known: shown beside those that were, and only there."""

from __future__ import annotations

#: By target, or by the beginning of its number. Figures stand in the result, not here.
NOTES = {
    "1.1": (
        "The yardstick became cheaper than it was when the target was set (compare the lines for"
        " hello in the table below): routing, decoding and encoding of today's framework cost less"
        " than the parts of a decision that nothing can leave out, which are opening the subject,"
        " two keyed hashes, sealing the facts, and handing a record to PostgreSQL."
    ),
    "1.2": "As 1.1; and with fewer connections fewer decisions share a statement and an `MGET`.",
    "1.3": "As 1.1, without the framework's part.",
    "1.4": (
        "Workers have the greater part of it (see the stages); PostgreSQL's is the statement that"
        " checks and records, and the write-ahead log."
    ),
    "2.1": (
        "Cerbos looks nothing up, verifies no token and waits for no disk: it is asked with all"
        " attributes in the request. The rate with everything on the same cores is what is left"
        " after the generator and both engines have had their share."
    ),
    "2.2": "The conventional service shares the generator's and PostgreSQL's costs.",
    "3.1": (
        "On few cores the generator, PostgreSQL and the workers wait for one another; the stalls"
        " below say for whom."
    ),
    "3.2": "What is left had no evidence that covers a quarter of it.",
    "4.1": (
        "What items share is the request, its token and the batch; each of them still opens a"
        " subject, judges, seals and makes a record of its own."
    ),
    "4.2": (
        "A search asks all scenarios together, but opens every consent of the recipient, and its"
        " record lists what was evaluated and found."
    ),
    "5.1": "A bigger table and a bigger cache: more pages that are not in a processor's caches.",
    "5.2": "More compiled rules than a processor's caches hold.",
    "5.3": "A longer body travels, is hashed whole, and only then is one slice of it decoded.",
    "5.4": (
        "The body holds the person's wrapped key, 16 random bytes for each consent, and dates; the"
        " rest is the key's name and Valkey's own entry."
    ),
    "6.1": "What is refused costs something too, and the generator runs on the same cores.",
    "6.2": "Who is let in shares the cores with the generator and with all those who are refused.",
    "6.3": (
        "A refusal waits its turn in the worker's loop and on a core that the generator wants as"
        " well; the median is far below."
    ),
    "6.5": "Connections and waiting requests take room; their number is bounded.",
    "6.6": "Then this machine could not offer the load, and the other figures say less.",
}


def note(target: str) -> str:
    """What is known of a target, by its number; empty where nothing is."""
    return NOTES.get(target) or NOTES.get(target.rstrip("ab"), "")
