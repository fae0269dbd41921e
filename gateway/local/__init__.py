"""The local city: real engines, throw-away keys, an identity provider, all on one machine.

For demonstrations, development and tests. `qianjiang serve` cannot import this package, so that
nothing of it can be switched on in production.
"""
