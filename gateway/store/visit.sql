-- name: know_issuer
-- Asked first: a conflict would use up a number of the few.
INSERT INTO issuer (code) SELECT $1::text WHERE NOT EXISTS (SELECT FROM issuer WHERE code = $1)
ON CONFLICT (code) DO NOTHING

-- name: visitor
SELECT v.citizen FROM visitor AS v JOIN issuer AS i ON i.num = v.issuer
 WHERE i.code = $1 AND v.subject = $2

-- name: add_citizen
-- Of when a visitor came first nothing is kept but the day.
INSERT INTO citizen (id, wrapped_key, synthetic, created_at)
VALUES ($1, $2, $3, date_trunc('day', clock_timestamp(), 'Asia/Shanghai'))

-- name: add_visitor
-- Of two first visits at once the later waits here and then adds nothing.
INSERT INTO visitor (citizen, issuer, subject)
SELECT $1::uuid, num, $3::text FROM issuer WHERE code = $2
ON CONFLICT (issuer, subject) DO NOTHING RETURNING true

-- name: newest
-- Whose iat is forgotten is older than any grant that can be shown.
SELECT to_us(max(granted_at)) FROM visit WHERE citizen = $1

-- name: add
-- The unique key of issuer and jti decides that a grant is accepted once.
INSERT INTO visit (id, citizen, issuer, jti, scheme, scheme_version, tier, band, scenarios,
                   limit_fen, as_of, home_consent, policy, status_uri, status_idx, granted_at,
                   number)
SELECT $1::uuid, $2::uuid, num, $4::text, $5::text, $6::integer, $7::text, $8::smallint, $9::text[],
       $10::bigint, $11::date, $12::uuid, $13::text, $14::text, $15::integer, from_us($16),
       (SELECT coalesce(max(v.number), 0) + 1 FROM visit AS v WHERE v.citizen = $2::uuid)
  FROM issuer WHERE code = $3
ON CONFLICT (issuer, jti) DO NOTHING RETURNING true

-- name: end_others
UPDATE visit SET ended_on = today(), reason = 'replaced'
 WHERE citizen = $1 AND id <> $2 AND ended_on IS NULL

-- name: end_all
UPDATE visit SET ended_on = today(), reason = $2, is_settled = false
 WHERE citizen = $1 AND ended_on IS NULL

-- name: home
SELECT i.code FROM visitor AS v JOIN issuer AS i ON i.num = v.issuer WHERE v.citizen = $1

-- name: latest
SELECT i.code AS home, v.scheme, v.scheme_version, v.tier, v.scenarios, v.limit_fen,
       v.as_of, v.opened_on AS since, v.ended_on AS ended, v.reason,
       to_us(i.fresh_until) AS fresh_until_us, i.fresh_until > clock_timestamp() AS is_fresh
  FROM visit AS v JOIN issuer AS i ON i.num = v.issuer
 WHERE v.citizen = $1 ORDER BY v.number DESC LIMIT 1

-- name: issue_token
INSERT INTO visit_token (token_hash, citizen, visit, jkt, expires_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5::double precision))

-- name: token_key
SELECT jkt FROM visit_token
 WHERE token_hash = $1 AND expires_at > clock_timestamp()

-- name: use_token
-- Only while the visit goes on that it was given for. What was used is nowhere any more.
DELETE FROM visit_token AS t
 WHERE t.token_hash = $1 AND t.expires_at > clock_timestamp()
   AND EXISTS (SELECT FROM visit AS v WHERE v.id = t.visit AND v.ended_on IS NULL)
RETURNING t.citizen

-- name: forget_iat
-- A grant lives for a minute, and clocks differ by seconds: after five, every grant that can be
-- shown is younger than this one, and its iat serves nothing.
UPDATE visit SET granted_at = NULL WHERE id IN (
  SELECT id FROM visit WHERE granted_at < clock_timestamp() - interval '5 minutes'
   ORDER BY granted_at LIMIT $1)

-- name: unsettled
-- Visitors who came or went on a day that is over, in the order of random ids.
SELECT citizen FROM visit
 WHERE NOT is_settled AND coalesce(ended_on, opened_on) < today()
 ORDER BY id LIMIT $1

-- name: settle
SELECT visitors_settle($1::uuid[])

-- name: absent
-- Visitors whose last visit ended so long ago, and who have nothing open here.
SELECT v.citizen FROM visitor AS v
 WHERE v.left_on < today() - $1::integer
   AND NOT EXISTS (SELECT FROM visit AS t WHERE t.citizen = v.citizen)
   AND NOT EXISTS (SELECT FROM waiver AS w WHERE w.citizen = v.citizen AND w.settled_at IS NULL)
   AND NOT EXISTS (SELECT FROM medical_advance AS m
                    WHERE m.citizen = v.citizen AND m.settled_at IS NULL)
   AND NOT EXISTS (SELECT FROM loan AS l WHERE l.citizen = v.citizen AND l.returned_at IS NULL)
 ORDER BY v.left_on LIMIT $2
