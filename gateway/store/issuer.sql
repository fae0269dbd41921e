-- name: known
-- Every city that ever vouched for somebody here.
SELECT code FROM issuer ORDER BY num

-- name: enrol
INSERT INTO issuer (code) VALUES ($1) ON CONFLICT (code) DO NOTHING

-- name: view
SELECT num, clock_us() AS now_us FROM issuer WHERE code = $1

-- name: lock
-- A visit that is just being opened holds its issuer's row (a foreign key does), so what is read
-- after this lock is every visit that there is.
SELECT num FROM issuer WHERE code = $1 FOR UPDATE

-- name: lists
-- The different lists that living visits name, one descent of the index each.
WITH RECURSIVE found (uri, place) AS (
  SELECT min(status_uri), 1 FROM visit WHERE issuer = $1 AND ended_at IS NULL
  UNION ALL
  SELECT (SELECT min(status_uri) FROM visit
           WHERE issuer = $1 AND ended_at IS NULL AND status_uri > found.uri), place + 1
    FROM found WHERE found.uri IS NOT NULL AND place < $2::integer)
SELECT uri FROM found WHERE uri IS NOT NULL

-- name: ended
-- Living visits whose bit is set (bytea's get_bit counts as the draft does, from the least
-- significant), or whose entry has gone from the list.
SELECT id, citizen FROM visit
 WHERE issuer = $1 AND status_uri = $2 AND ended_at IS NULL
   AND CASE WHEN status_idx < octet_length($3::bytea) * 8
            THEN get_bit($3::bytea, status_idx) = 1 ELSE true END
 LIMIT $4

-- name: end
UPDATE visit SET ended_at = clock_timestamp(), reason = $2
 WHERE id = ANY ($1::uuid[]) AND ended_at IS NULL

-- name: bound
UPDATE issuer SET fresh_until = from_us($2) WHERE code = $1 AND fresh_until > from_us($2)

-- name: extend
-- Never beyond the list that names the city's keys.
UPDATE issuer SET fresh_until = least(from_us($2), trust_list.expires_at)
  FROM trust_list WHERE issuer.code = $1
