-- name: open
SELECT count(*) FROM correction_request WHERE citizen = $1 AND status = 'received'

-- name: add
INSERT INTO correction_request (id, citizen, about, sealed, received_at, due_on)
VALUES ($1, $2, $3, $4, from_us($5), $6)

-- name: of_citizen
SELECT id, citizen, about, sealed, status, to_us(received_at) AS received_us, due_on,
       to_us(decided_at) AS decided_us, staff, answer
  FROM correction_request WHERE citizen = $1 AND sealed IS NOT NULL ORDER BY id DESC LIMIT $2

-- name: one
SELECT id, citizen, about, sealed, status, to_us(received_at) AS received_us, due_on,
       to_us(decided_at) AS decided_us, staff, answer
  FROM correction_request WHERE id = $1 AND sealed IS NOT NULL

-- name: waiting
-- The longest due first, so that what is overdue is read before all else.
SELECT id, citizen, about, sealed, status, to_us(received_at) AS received_us, due_on,
       to_us(decided_at) AS decided_us, staff, answer
  FROM correction_request WHERE status = 'received' ORDER BY due_on, id LIMIT $1

-- name: decide
UPDATE correction_request
   SET status = $2, staff = $3, answer = $4, decided_at = clock_timestamp()
 WHERE id = $1 AND status = 'received' RETURNING true

-- name: has_fact
SELECT EXISTS (
  SELECT FROM citizen AS c JOIN fact AS f ON f.identity_index = c.identity_index
   WHERE c.id = $1 AND f.department = $2 AND f.code = $3 AND f.source_ref = $4)

-- name: has_lookup
SELECT EXISTS (SELECT FROM decision WHERE id = $2 AND citizen = $1)
    OR EXISTS (SELECT FROM search WHERE id = $2 AND citizen = $1)
    OR EXISTS (SELECT FROM staff_access WHERE id = $2 AND citizen = $1)
    OR EXISTS (SELECT FROM assisted_act WHERE id = $2 AND citizen = $1)
