"""`python -m loadtest.peers.cerbos`: fetch the program, or say why it cannot be had."""

from __future__ import annotations

from loadtest.peers.cerbos.binary import NotFetched, missing, program

if __name__ == "__main__":
    try:
        print(missing() or program())
    except NotFetched as fault:
        print(fault)
