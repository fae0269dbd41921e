"""The maker of `docs/protocol/vectors/`, from the protocol's text alone.

Nothing of the gateway is imported here, so that the vectors and the gateway check each other. It
is deterministic: keys are made from labels, ECDSA is that of RFC 6979. `python -m
tests.protocol.making` writes every file anew.
"""
