-- name: by_identity
SELECT id FROM citizen WHERE identity_index = $1 AND erased_at IS NULL

-- name: of_login
SELECT citizen FROM login WHERE issuer = $1 AND subject_index = $2

-- name: add
-- Of two first logins at once the later waits here and then adds nothing.
INSERT INTO citizen (id, identity_index, identity, wrapped_key, synthetic)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (identity_index) DO NOTHING RETURNING true

-- name: bind_login
INSERT INTO login (issuer, subject_index, citizen) VALUES ($1, $2, $3)
ON CONFLICT (issuer, subject_index) DO NOTHING

-- name: person
SELECT identity, wrapped_key, synthetic, to_us(created_at) AS created_us,
       (SELECT i.code FROM visitor AS v JOIN issuer AS i ON i.num = v.issuer
         WHERE v.citizen = citizen.id) AS home
  FROM citizen WHERE id = $1 AND erased_at IS NULL AND wrapped_key IS NOT NULL

-- name: authorisation
SELECT version, status, notice, text_sha256, leave_out, to_us(at) AS at_us,
       EXISTS (SELECT FROM assisted_act AS a
                WHERE a.citizen = s.citizen AND a.target_version = s.version
                  AND a.act = 'score_authorisation') AS aloud
  FROM score_authorisation AS s WHERE citizen = $1 ORDER BY version DESC LIMIT 1

-- name: vouch
SELECT citizen_vouch($1, $2)

-- name: own_withdrawal
-- A withdrawal that no counter recorded, with nothing given since.
SELECT EXISTS (
  SELECT FROM score_authorisation AS s
   WHERE s.citizen = $1 AND s.status = 'withdrawn'
     AND s.version > COALESCE((SELECT max(version) FROM score_authorisation
                                WHERE citizen = $1 AND status = 'given'), 0)
     AND NOT EXISTS (SELECT FROM assisted_act AS a
                      WHERE a.citizen = $1 AND a.target_version = s.version
                        AND a.act IN ('score_authorisation', 'score_withdrawal')))

-- name: authorise
INSERT INTO score_authorisation (citizen, version, status, notice, text_sha256, leave_out)
VALUES ($1, $2, $3, $4, $5, $6)
