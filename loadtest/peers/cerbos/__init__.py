"""Cerbos: a policy engine that a shop could run beside its own service."""
