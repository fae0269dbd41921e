-- name: begin
INSERT INTO session (id_hash, citizen, expires_at)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::double precision))

-- name: citizen
SELECT s.citizen FROM session AS s JOIN citizen AS c ON c.id = s.citizen
 WHERE s.id_hash = $1 AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
   AND c.erased_at IS NULL

-- name: hold
-- The citizen's living sessions, locked until the transaction ends: whoever does something in one
-- of them follows whoever does it in another, and none of them ends meanwhile.
SELECT s.id_hash FROM session AS s JOIN citizen AS c ON c.id = s.citizen
 WHERE s.citizen = $1 AND s.ended_at IS NULL AND s.expires_at > clock_timestamp()
   AND c.erased_at IS NULL
 ORDER BY s.id_hash FOR UPDATE OF s

-- name: of_citizen
SELECT to_us(created_at) AS begun_us, to_us(expires_at) AS ends_us, id_hash = $2 AS is_this
  FROM session WHERE citizen = $1 AND ended_at IS NULL AND expires_at > clock_timestamp()
 ORDER BY created_at DESC LIMIT $3

-- name: end_all
UPDATE session SET ended_at = clock_timestamp() WHERE citizen = $1 AND ended_at IS NULL

-- name: end
UPDATE session SET ended_at = clock_timestamp() WHERE id_hash = $1 AND ended_at IS NULL
