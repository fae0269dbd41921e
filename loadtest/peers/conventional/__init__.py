"""The service that a good team writes today with FastAPI, SQLAlchemy and redis-py.

It gives the gateway's rent decision with the gateway's durability: no answer leaves before its row
is committed (`synchronous_commit = on`). As the documentation of each part shows: lifespan and
dependencies, an ES256 bearer token verified by PyJWT on each request, standings as JSON in Valkey
with PostgreSQL behind, pooled connections, one transaction a request, uvicorn with uvloop and
httptools. It has **no group commit**: every decision is a transaction of its own. It does less than
the gateway: it checks nothing at the commit, seals no facts, hides no subject, keeps no receipt.
"""
