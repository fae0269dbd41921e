-- name: lock
-- Whoever replaces the list comes after whoever does so just now.
SELECT serial, content, to_us(issued_at) AS issued_us, to_us(expires_at) AS expires_us
  FROM trust_list FOR UPDATE

-- name: head
SELECT serial, content, to_us(issued_at) AS issued_us, to_us(expires_at) AS expires_us
  FROM trust_list

-- name: kept
SELECT serial, content, to_us(issued_at) AS issued_us, to_us(expires_at) AS expires_us, token
  FROM trust_list

-- name: put
-- The text is written only when it says something new: its times change every few seconds.
INSERT INTO trust_list (serial, content, token, issued_at, expires_at)
VALUES ($1, $2, $3, from_us($4), from_us($5))
ON CONFLICT (only_row) DO UPDATE
   SET serial = excluded.serial,
       token = CASE WHEN trust_list.content = excluded.content THEN trust_list.token
                    ELSE excluded.token END,
       content = excluded.content,
       issued_at = excluded.issued_at,
       expires_at = excluded.expires_at,
       fetched_at = clock_timestamp()
 WHERE trust_list.issued_at <= excluded.issued_at
   AND (trust_list.serial < excluded.serial
        OR (trust_list.serial = excluded.serial AND trust_list.content = excluded.content))
RETURNING true

-- name: forget
-- Of another region than the one that is pinned now, whose serials are no measure for this one's.
DELETE FROM trust_list
