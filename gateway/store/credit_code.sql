-- name: older
-- All but the newest so many of a citizen's codes that could still be used die.
DELETE FROM credit_code WHERE code_hash IN (
  SELECT code_hash FROM credit_code
   WHERE citizen = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
   ORDER BY created_at DESC OFFSET $2)

-- name: add
INSERT INTO credit_code (code_hash, citizen, session, desk, expires_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::double precision))
ON CONFLICT (code_hash) DO NOTHING RETURNING to_us(expires_at)

-- name: use
-- Once: of two at the same time the second waits, and then sees that it is used.
UPDATE credit_code AS k SET used_at = clock_timestamp(), used_by = $2
 WHERE k.code_hash = $1 AND k.used_at IS NULL AND k.expires_at > clock_timestamp()
   AND EXISTS (SELECT FROM session AS s JOIN citizen AS c ON c.id = s.citizen
                WHERE s.id_hash = k.session AND s.ended_at IS NULL
                  AND s.expires_at > clock_timestamp() AND c.erased_at IS NULL)
RETURNING k.citizen

-- name: scans
-- Who scanned a code of this session lately, newest first.
SELECT p.name, to_us(k.used_at) AS at_us
  FROM credit_code AS k JOIN party AS p ON p.num = k.used_by
 WHERE k.citizen = $1 AND k.session = $2 AND k.used_at > now() - interval '10 minutes'
 ORDER BY k.used_at DESC LIMIT 5
