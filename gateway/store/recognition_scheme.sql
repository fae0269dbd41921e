-- name: unread
-- Those published that the reader does not have yet; what it has never changes.
SELECT s.id, s.version, s.text FROM recognition_scheme AS s
 WHERE NOT EXISTS (
   SELECT FROM unnest($1::text[], $2::integer[]) AS known (id, version)
    WHERE known.id = s.id AND known.version = s.version)
 ORDER BY s.id, s.version LIMIT $3::integer

-- name: lock
-- One publication at a time: two could each follow the same former version.
LOCK TABLE recognition_scheme IN SHARE ROW EXCLUSIVE MODE

-- name: of_id
SELECT version, valid_from, sha256 FROM recognition_scheme WHERE id = $1 ORDER BY version

-- name: count
SELECT count(*) FROM recognition_scheme

-- name: add
INSERT INTO recognition_scheme (id, version, valid_from, text, sha256)
VALUES ($1, $2, $3, $4, sha256(convert_to($4, 'UTF8')))
