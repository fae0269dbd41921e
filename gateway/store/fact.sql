-- name: put
-- A corrected fact replaces the one of the same key; an equal one is left as it was. The order
-- keeps two imports at once from waiting on each other in a circle.
INSERT INTO fact AS f (identity_index, department, code, source_ref, dimension, value, effective,
  expires, determined, sphere)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
  $7::date[], $8::date[], $9::date[], $10::text[]) AS given (identity_index, department, code,
  source_ref, dimension, value, effective, expires, determined, sphere)
 ORDER BY identity_index, department, code, source_ref
ON CONFLICT (identity_index, department, code, source_ref) DO UPDATE
   SET dimension = excluded.dimension, value = excluded.value, effective = excluded.effective,
       expires = excluded.expires, determined = excluded.determined, sphere = excluded.sphere,
       imported_at = clock_timestamp()
 WHERE (f.dimension, f.value, f.effective, f.expires, f.determined, f.sphere) IS DISTINCT FROM
       (excluded.dimension, excluded.value, excluded.effective, excluded.expires,
        excluded.determined, excluded.sphere)
RETURNING new.identity_index, old.identity_index IS NULL AS added

-- name: load
SELECT identity_index, department, code, source_ref, dimension, value, effective, expires,
  determined, sphere
  FROM fact WHERE identity_index = ANY ($1::bytea[])

-- name: forget_ended
-- Negative facts whose last day of use is over, at most so many. One that an import holds at this
-- moment is left for the next run rather than waited for. Chosen once: the planner may run a
-- subquery again for each row, and each run would lock others.
WITH ended AS MATERIALIZED (
  SELECT identity_index, department, code, source_ref FROM fact
   WHERE determined IS NOT NULL
     AND least(expires, (determined + make_interval(years => $2))::date) <= $1::date
   LIMIT $3 FOR UPDATE SKIP LOCKED)
DELETE FROM fact WHERE (identity_index, department, code, source_ref) IN (
  SELECT identity_index, department, code, source_ref FROM ended)
