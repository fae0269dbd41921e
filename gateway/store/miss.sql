-- name: hold
-- Each name's number, locked until the transaction ends; names come sorted, so that two who share
-- some cannot wait for each other.
INSERT INTO miss (name, full_at_us) SELECT unnest($1::text[]), 0
ON CONFLICT (name) DO UPDATE SET full_at_us = miss.full_at_us
RETURNING name, full_at_us, clock_us() AS now_us

-- name: keep
UPDATE miss SET full_at_us = given.full_at_us
  FROM unnest($1::text[], $2::bigint[]) AS given (name, full_at_us)
 WHERE miss.name = given.name

-- name: give_back
UPDATE miss SET full_at_us = miss.full_at_us - given.by_us
  FROM unnest($1::text[], $2::bigint[]) AS given (name, by_us)
 WHERE miss.name = given.name
