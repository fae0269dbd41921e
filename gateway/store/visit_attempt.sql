-- name: begin
INSERT INTO visit_attempt (id_hash, home, scenarios, jkt, state_hash, verifier, expires_at)
VALUES ($1, $2, $3, $4, $5, $6,
        clock_timestamp() + make_interval(secs => $7::double precision))

-- name: awaited
SELECT home, state_hash, verifier FROM visit_attempt
 WHERE id_hash = $1 AND returned_at IS NULL AND expires_at > clock_timestamp()

-- name: returned
UPDATE visit_attempt SET returned_at = clock_timestamp()
 WHERE id_hash = $1 AND returned_at IS NULL AND expires_at > clock_timestamp() RETURNING true

-- name: keep
UPDATE visit_attempt SET recognition = $2 WHERE id_hash = $1

-- name: open
SELECT home, scenarios, jkt, recognition FROM visit_attempt
 WHERE id_hash = $1 AND returned_at IS NOT NULL AND expires_at > clock_timestamp()

-- name: claim
-- Of many at once one gets it, and the others do not wait to hear so. What was presented is nowhere
-- any more.
WITH mine AS (
  SELECT id_hash FROM visit_attempt
   WHERE id_hash = $1 AND returned_at IS NOT NULL AND expires_at > clock_timestamp()
     FOR UPDATE SKIP LOCKED)
DELETE FROM visit_attempt AS a USING mine WHERE a.id_hash = mine.id_hash RETURNING true
