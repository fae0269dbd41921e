-- name: begin
INSERT INTO session (id_hash, citizen, expires_at)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::double precision))

-- name: citizen
SELECT s.citizen FROM session AS s JOIN citizen AS c ON c.id = s.citizen
 WHERE s.id_hash = $1 AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
   AND c.erased_at IS NULL

-- name: end
UPDATE session SET ended_at = clock_timestamp() WHERE id_hash = $1 AND ended_at IS NULL
