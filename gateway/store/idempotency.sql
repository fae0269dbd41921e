-- name: claim
-- Waits for another transaction that holds the same key, at most for the session's lock_timeout.
INSERT INTO idempotency (principal, key, body_hash) VALUES ($1, $2, $3)
ON CONFLICT (principal, key) DO NOTHING RETURNING true

-- name: held
SELECT body_hash, response FROM idempotency WHERE principal = $1 AND key = $2

-- name: forget
DELETE FROM idempotency WHERE principal = $1

-- name: keep
UPDATE idempotency SET status = $3, response = $4 WHERE principal = $1 AND key = $2
