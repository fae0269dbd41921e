-- name: know_issuer
-- Asked first: a conflict would use up a number of the few.
INSERT INTO issuer (code) SELECT $1::text WHERE NOT EXISTS (SELECT FROM issuer WHERE code = $1)
ON CONFLICT (code) DO NOTHING

-- name: visitor
SELECT v.citizen FROM visitor AS v JOIN issuer AS i ON i.num = v.issuer
 WHERE i.code = $1 AND v.subject = $2

-- name: add_citizen
INSERT INTO citizen (id, wrapped_key, synthetic) VALUES ($1, $2, $3)

-- name: add_visitor
-- Of two first visits at once the later waits here and then adds nothing.
INSERT INTO visitor (citizen, issuer, subject)
SELECT $1::uuid, num, $3::text FROM issuer WHERE code = $2
ON CONFLICT (issuer, subject) DO NOTHING RETURNING true

-- name: newest
SELECT to_us(max(granted_at)) FROM visit WHERE citizen = $1

-- name: add
-- The unique key of issuer and jti decides that a grant is accepted once.
INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band, scenarios,
                   limit_fen, as_of, home_consent, policy, status_uri, status_idx, granted_at)
SELECT $1::uuid, $2::uuid, num, $4::text, $5::text, $6::integer, $7::text, $8::smallint, $9::text[],
       $10::bigint, $11::date, $12::uuid, $13::text, $14::text, $15::integer, from_us($16)
  FROM issuer WHERE code = $3
ON CONFLICT (issuer, jti) DO NOTHING RETURNING true

-- name: end_others
UPDATE visit SET ended_at = clock_timestamp(), reason = 'replaced'
 WHERE citizen = $1 AND id <> $2 AND ended_at IS NULL

-- name: end_all
UPDATE visit SET ended_at = clock_timestamp(), reason = $2 WHERE citizen = $1 AND ended_at IS NULL

-- name: home
SELECT i.code FROM visitor AS v JOIN issuer AS i ON i.num = v.issuer WHERE v.citizen = $1

-- name: latest
SELECT i.code AS home, v.scheme, v.scheme_version, v.tier, v.scenarios, v.limit_fen,
       v.as_of, to_us(v.opened_at) AS since_us, to_us(v.ended_at) AS ended_us, v.reason,
       to_us(i.fresh_until) AS fresh_until_us, i.fresh_until > clock_timestamp() AS is_fresh
  FROM visit AS v JOIN issuer AS i ON i.num = v.issuer
 WHERE v.citizen = $1 ORDER BY v.granted_at DESC, v.opened_at DESC LIMIT 1

-- name: issue_token
INSERT INTO visit_token (token_hash, citizen, visit, jkt, expires_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::double precision))

-- name: token_key
SELECT jkt FROM visit_token
 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > clock_timestamp()

-- name: use_token
-- Only while the visit goes on that it was given for.
UPDATE visit_token AS t SET used_at = clock_timestamp()
 WHERE t.token_hash = $1 AND t.used_at IS NULL AND t.expires_at > clock_timestamp()
   AND EXISTS (SELECT FROM visit AS v WHERE v.id = t.visit AND v.ended_at IS NULL)
RETURNING t.citizen
