"""A city looked at from outside: does it keep docs/protocol/recognition.md, whatever it runs?

Only addresses of the region's list are asked, and nothing is left behind but refusals and, where
the asking city has keys, one request that nobody opens.
"""
