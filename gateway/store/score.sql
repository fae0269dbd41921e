-- name: due
-- Everybody whose score may be computed, a page at a time: living, and with an authorisation given.
SELECT c.id, c.identity_index, c.wrapped_key, a.version AS authorisation, a.leave_out,
  s.score, s.band, s.factors
  FROM citizen AS c
  JOIN LATERAL (SELECT version, status, leave_out FROM score_authorisation
                 WHERE citizen = c.id ORDER BY version DESC LIMIT 1) AS a ON a.status = 'given'
  LEFT JOIN score AS s ON s.citizen = c.id
 WHERE c.id > $1 AND c.erased_at IS NULL AND c.wrapped_key IS NOT NULL
 ORDER BY c.id LIMIT $2::integer

-- name: due_of
SELECT c.id, c.identity_index, c.wrapped_key, a.version AS authorisation, a.leave_out,
  s.score, s.band, s.factors
  FROM citizen AS c
  JOIN LATERAL (SELECT version, status, leave_out FROM score_authorisation
                 WHERE citizen = c.id ORDER BY version DESC LIMIT 1) AS a ON a.status = 'given'
  LEFT JOIN score AS s ON s.citizen = c.id
 WHERE c.id = ANY ($1::uuid[]) AND c.erased_at IS NULL AND c.wrapped_key IS NOT NULL
 ORDER BY c.id

-- name: put
SELECT score_put($1::integer, $2::uuid[], $3::integer[], $4::smallint[], $5::smallint[],
                 $6::bytea[])

-- name: leftover
-- Scores that nobody may keep: their authorisation was withdrawn, or their citizen erased.
SELECT s.citizen FROM score AS s
 WHERE NOT EXISTS (
   SELECT 1 FROM citizen AS c
     JOIN LATERAL (SELECT status FROM score_authorisation WHERE citizen = c.id
                    ORDER BY version DESC LIMIT 1) AS a ON a.status = 'given'
    WHERE c.id = s.citizen AND c.erased_at IS NULL)
 LIMIT $1::integer

-- name: forget
DELETE FROM score AS s
 WHERE s.citizen = ANY ($1::uuid[]) AND NOT EXISTS (
   SELECT 1 FROM citizen AS c
     JOIN LATERAL (SELECT status FROM score_authorisation WHERE citizen = c.id
                    ORDER BY version DESC LIMIT 1) AS a ON a.status = 'given'
    WHERE c.id = s.citizen AND c.erased_at IS NULL)

-- name: next_run
SELECT nextval(pg_get_serial_sequence('publish_run', 'id'))::integer

-- name: finish_run
INSERT INTO publish_run (id, model, as_of, scored, changed, band_moves, started_at)
OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, from_us($7))

-- name: latest_run
SELECT id, as_of FROM publish_run ORDER BY id DESC LIMIT 1

-- name: candidates
SELECT count(*) FROM citizen WHERE erased_at IS NULL

-- name: held
-- The score as its citizen may see it now: under a standing authorisation.
SELECT s.score, s.band, s.factors,
  coalesce((SELECT as_of FROM publish_run ORDER BY id DESC LIMIT 1), $2::date) AS as_of
  FROM score AS s WHERE s.citizen = $1 AND 'given' =
    (SELECT a.status FROM score_authorisation AS a WHERE a.citizen = $1
      ORDER BY a.version DESC LIMIT 1)
