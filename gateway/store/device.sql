-- name: add
INSERT INTO device (id, citizen, kid, jwk, name) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kid) DO NOTHING RETURNING true

-- name: of_citizen
SELECT id, kid, jwk, name, to_us(registered_at) AS registered_us, to_us(revoked_at) AS revoked_us,
  to_us(compromised_since) AS compromised_us
  FROM device WHERE citizen = $1 ORDER BY registered_at, id

-- name: rename
UPDATE device SET name = $3 WHERE id = $2 AND citizen = $1 RETURNING true

-- name: revoke
-- Revoking again may only move `compromised_since` back: what was found out is never unlearned.
UPDATE device SET revoked_at = coalesce(revoked_at, clock_timestamp()),
  compromised_since = least(compromised_since, from_us($3))
 WHERE id = $2 AND citizen = $1
