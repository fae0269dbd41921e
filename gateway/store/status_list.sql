-- name: newest
SELECT coalesce(max(id), 0) FROM status_list WHERE full_at IS NULL

-- name: draw
-- The first of some random places of the newest open list that no grant ever had. Two who draw the
-- same one in the same moment: the second does not get the lock, and draws again.
WITH free AS MATERIALIZED (
  SELECT l.id, (drawn.number % l.size)::integer AS idx
    FROM (SELECT id, size FROM status_list WHERE full_at IS NULL ORDER BY id DESC LIMIT 1) AS l
    CROSS JOIN unnest($1::bigint[]) WITH ORDINALITY AS drawn (number, place)
   WHERE NOT EXISTS (SELECT 1 FROM recognition AS r
                      WHERE r.status_list = l.id AND r.status_idx = drawn.number % l.size)
   ORDER BY drawn.place LIMIT 1)
SELECT id, idx, pg_try_advisory_xact_lock(id, idx) AS mine FROM free

-- name: opening
-- One opens at a time: no list has the number 0.
SELECT pg_advisory_xact_lock(0, 0)

-- name: open
-- A list begins with its first copy, so that it can be read as soon as it is named.
WITH opened AS (INSERT INTO status_list (size) VALUES ($1) RETURNING id)
INSERT INTO status_list_copy (list, lst, as_of) SELECT id, $2, clock_timestamp() FROM opened

-- name: half_full
SELECT l.id FROM status_list AS l
 WHERE l.full_at IS NULL
   AND l.size / 2 <= (SELECT count(*) FROM recognition AS r WHERE r.status_list = l.id)

-- name: close
UPDATE status_list SET full_at = clock_timestamp() WHERE id = ANY ($1::integer[])

-- name: lists
-- Those whose bits may still turn, the longest not copied first.
SELECT l.id, l.size, l.void_at IS NOT NULL AS void
  FROM status_list AS l LEFT JOIN status_list_copy AS c ON c.list = l.id
 WHERE l.worn_at IS NULL ORDER BY c.as_of NULLS FIRST LIMIT $1

-- name: now_us
SELECT clock_us()

-- name: ended_count
SELECT count(*) FROM recognition WHERE status_list = $1 AND ended_at IS NOT NULL

-- name: ended
SELECT array_agg(status_idx) FROM recognition WHERE status_list = $1 AND ended_at IS NOT NULL

-- name: put
-- A copy never goes back: of two processes that make one, the newer counts.
INSERT INTO status_list_copy AS c (list, lst, as_of) VALUES ($1, $2, from_us($3))
ON CONFLICT (list) DO UPDATE SET lst = excluded.lst, as_of = excluded.as_of
 WHERE c.as_of < excluded.as_of
RETURNING true

-- name: touch
-- Only who made the very copy that is there knows its bits: another process may have put its own.
UPDATE status_list_copy SET as_of = from_us($3)
 WHERE list = $1 AND as_of = from_us($2) AND as_of < from_us($3)
RETURNING true

-- name: worn_out
-- Closed lists of which nothing stands, for so long that every city has read so.
SELECT l.id, l.size FROM status_list AS l
 WHERE l.full_at IS NOT NULL AND l.worn_at IS NULL
   AND NOT EXISTS (SELECT FROM recognition AS r WHERE r.status_list = l.id
                      AND (r.ended_at IS NULL OR r.ended_at > clock_timestamp() - interval '1 day'))
 ORDER BY l.id LIMIT $1

-- name: wear_out
UPDATE status_list SET worn_at = clock_timestamp() WHERE id = $1

-- name: copy
-- What is known already is not sent again. Every bit of a worn-out list is set, now as ever.
SELECT to_us(now.as_of) AS as_of_us, clock_us() - to_us(now.as_of) AS age_us,
  CASE WHEN to_us(now.as_of) <> $2::bigint THEN c.lst END AS lst
  FROM status_list_copy AS c JOIN status_list AS l ON l.id = c.list
  CROSS JOIN LATERAL (SELECT CASE WHEN l.worn_at IS NULL THEN c.as_of ELSE clock_timestamp() END
                     ) AS now (as_of)
 WHERE c.list = $1
