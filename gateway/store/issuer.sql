-- name: known
-- Every city that ever vouched for somebody here.
SELECT code FROM issuer ORDER BY num

-- name: view
SELECT num, clock_us() AS now_us FROM issuer WHERE code = $1

-- name: lock
-- A visit that is just being opened holds its issuer's row (a foreign key does), so what is read
-- after this lock is every visit that there is.
SELECT num FROM issuer WHERE code = $1 FOR UPDATE

-- name: lists
-- The different lists that living visits name, one descent of the index each.
WITH RECURSIVE found (uri, place) AS (
  SELECT min(status_uri), 1 FROM visit WHERE issuer = $1 AND ended_on IS NULL
  UNION ALL
  SELECT (SELECT min(status_uri) FROM visit
           WHERE issuer = $1 AND ended_on IS NULL AND status_uri > found.uri), place + 1
    FROM found WHERE found.uri IS NOT NULL AND place < $2::integer)
SELECT uri FROM found WHERE uri IS NOT NULL

-- name: ended
-- Living visits whose bit is set (bytea's get_bit counts as the draft does, from the least
-- significant). Places and list are both under this city's own names.
SELECT id, citizen FROM visit
 WHERE issuer = $1 AND status_uri = $2 AND ended_on IS NULL
   AND get_bit($3::bytea, status_idx) = 1
 LIMIT $4

-- name: end
-- When the day is over, it is written anew: in which order they ended is nobody's business.
UPDATE visit SET ended_on = today(), reason = $2, is_settled = false
 WHERE id = ANY ($1::uuid[]) AND ended_on IS NULL

-- name: bound
UPDATE issuer SET fresh_until = from_us($2) WHERE code = $1 AND fresh_until > from_us($2)

-- name: extend
-- Never beyond the list that names the city's keys.
UPDATE issuer SET fresh_until = least(from_us($2), trust_list.expires_at)
  FROM trust_list WHERE issuer.code = $1
