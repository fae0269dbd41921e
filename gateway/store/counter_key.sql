-- name: add
-- At most so many of one person; a credential that anybody registered before is refused.
INSERT INTO counter_key (id, staff, credential, public_key, sign_count, name)
SELECT $1, $2, $3, $4, $5, $6
 WHERE (SELECT count(*) FROM counter_key WHERE staff = $2 AND removed_at IS NULL) < $7::integer
ON CONFLICT DO NOTHING RETURNING id

-- name: of_staff
SELECT id, credential, public_key, sign_count, name, to_us(added_at) AS added_us, challenged_us
  FROM counter_key WHERE staff = $1 AND removed_at IS NULL ORDER BY added_at, id

-- name: used
UPDATE counter_key SET sign_count = $2, challenged_us = $3
 WHERE id = $1 AND challenged_us < $3 AND removed_at IS NULL RETURNING id

-- name: remove
UPDATE counter_key SET removed_at = clock_timestamp()
 WHERE id = $1 AND staff = $2 AND removed_at IS NULL RETURNING id
