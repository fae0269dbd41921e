-- name: use
-- PostgreSQL decides: what comes back was not there before. In one order for everybody, or two
-- batches with the same proofs could wait for one another.
INSERT INTO dpop_used (proof, expires)
SELECT proof, clock_timestamp() + make_interval(secs => $2)
  FROM unnest($1::bytea[]) AS given (proof) ORDER BY proof
ON CONFLICT DO NOTHING RETURNING proof
