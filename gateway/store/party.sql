-- name: revisions
-- Every change gives a party a higher revision, so the sum grows with each one that is committed,
-- in whatever order they are; the sequence itself runs ahead of what is committed.
SELECT coalesce(sum(revision), 0)::bigint FROM party

-- name: everyone
SELECT p.num, p.id, p.entity, e.sector AS own_sector, p.kind, p.name, p.status, p.revision,
  to_us(p.tokens_not_before) AS tokens_not_before_us, p.city, p.community, p.webhook_url,
  ARRAY(SELECT row(s.scenario, r.id, r.sector, r.name, r.contact) FROM party_scenario AS s
          JOIN legal_entity AS r ON r.id = s.recipient
         WHERE s.party = p.num ORDER BY s.scenario) AS scenarios,
  ARRAY(SELECT row(k.kid, k.jwk) FROM party_key AS k
         WHERE k.party = p.num AND k.revoked_at IS NULL ORDER BY k.added_at, k.kid) AS keys
  FROM party AS p JOIN legal_entity AS e ON e.id = p.entity

-- name: add_entity
INSERT INTO legal_entity (id, name, contact, promise) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, contact = excluded.contact,
  promise = excluded.promise

-- name: add
INSERT INTO party (id, entity, kind, name, city, community, webhook_url)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING num

-- name: add_scenario
INSERT INTO party_scenario (party, scenario, recipient) VALUES ($1, $2, $3)

-- name: add_key
INSERT INTO party_key (party, kid, jwk) VALUES ($1, $2, $3)

-- name: revoke_keys
UPDATE party_key SET revoked_at = clock_timestamp()
 WHERE party = $1 AND revoked_at IS NULL AND kid <> ALL ($2::text[])

-- name: set_status
UPDATE party SET status = $2 WHERE id = $1 RETURNING num

-- name: number
SELECT num FROM party WHERE id = $1

-- name: expire_tokens
UPDATE party SET tokens_not_before = clock_timestamp() WHERE num = $1

-- name: use_assertion
INSERT INTO assertion_used (issuer, jti, expires) VALUES ($1, $2, from_us($3))
ON CONFLICT DO NOTHING RETURNING true

-- name: forget_assertions
DELETE FROM assertion_used WHERE expires < clock_timestamp()
