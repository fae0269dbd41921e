-- name: revisions
-- Every change gives a party a higher revision, so the sum grows with each one that is committed,
-- in whatever order they are; the sequence itself runs ahead of what is committed.
SELECT coalesce(sum(revision), 0)::bigint FROM party

-- name: everyone
SELECT p.num, p.id, p.entity, e.sector AS own_sector, p.kind, p.name, p.status, p.revision,
  to_us(p.tokens_not_before) AS tokens_not_before_us, p.city, p.community, p.webhook_url,
  p.rate_per_s, p.rate_burst, p.dpop,
  ARRAY(SELECT row(s.scenario, r.id, r.sector, r.name, r.contact) FROM party_scenario AS s
          JOIN legal_entity AS r ON r.id = s.recipient
         WHERE s.party = p.num ORDER BY s.scenario) AS scenarios,
  ARRAY(SELECT row(k.kid, k.jwk, to_us(k.revoked_at)) FROM party_key AS k
         WHERE k.party = p.num AND (k.revoked_at IS NULL OR k.revoked_at > clock_timestamp())
         ORDER BY k.added_at, k.kid) AS keys
  FROM party AS p JOIN legal_entity AS e ON e.id = p.entity
 ORDER BY p.num

-- name: offers
-- Names and promises are read here and not from memory: a change of theirs moves no revision.
SELECT p.id, p.name, p.kind, e.id AS entity, e.name AS recipient_name,
       e.contact AS recipient_contact, e.promise AS recipient_promise
  FROM party_scenario AS s
  JOIN party AS p ON p.num = s.party
  JOIN legal_entity AS e ON e.id = s.recipient
 WHERE s.scenario = $1 AND p.status = 'active'
   AND ($2 = '' OR strpos(lower(p.name), lower($2)) > 0 OR strpos(lower(e.name), lower($2)) > 0)
 ORDER BY e.id = ANY ($3::text[]) DESC, p.name, p.id LIMIT $4

-- name: put_entity
INSERT INTO legal_entity (id, name, contact, promise) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, contact = excluded.contact,
  promise = excluded.promise

-- name: add
INSERT INTO party (id, entity, kind, name, city, community, webhook_url, dpop)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING num

-- name: add_scenario
INSERT INTO party_scenario (party, scenario, recipient) VALUES ($1, $2, $3)

-- name: add_key
INSERT INTO party_key (party, kid, jwk) VALUES ($1, $2, $3)

-- name: find
-- The row is locked: acts of operators on one party follow one another.
SELECT num, status FROM party WHERE id = $1 FOR UPDATE

-- name: suspend
-- Tokens issued before never come back, not even when the party does. Tokens carry whole seconds
-- of their worker's clock, which may be up to 2 s ahead of this one, so the cut-off lies just
-- beyond; each further one lies beyond the last.
UPDATE party
   SET status = 'suspended',
       tokens_not_before = greatest(date_trunc('second', clock_timestamp()) + interval '3 seconds',
                                    tokens_not_before + interval '1 second')
 WHERE num = $1

-- name: resume
UPDATE party SET status = 'active' WHERE num = $1

-- name: limit
UPDATE party SET rate_per_s = $2, rate_burst = $3 WHERE num = $1

-- name: bind
UPDATE party SET dpop = $2 WHERE num = $1

-- name: end_other_keys
-- Every key but one ends after so many seconds, unless it ends sooner anyway.
UPDATE party_key SET revoked_at = clock_timestamp() + make_interval(secs => $3)
 WHERE party = $1 AND kid <> $2
   AND (revoked_at IS NULL OR revoked_at > clock_timestamp() + make_interval(secs => $3))

-- name: use_assertion
-- No row if the assertion was used before; else the party's revision in the very snapshot that
-- decided, so that a change acknowledged before this request is never overlooked.
WITH used AS (
  INSERT INTO assertion_used (issuer, jti, expires) VALUES ($1, $2, from_us($3))
  ON CONFLICT DO NOTHING RETURNING issuer
)
SELECT p.revision FROM used JOIN party AS p ON p.id = used.issuer

-- name: use_city_assertion
-- The same for a city, whose name there is its code and whose keys are in the region's list: its
-- assertions are counted apart from those of parties. 0 where no party stands for it here.
WITH used AS (
  INSERT INTO assertion_used (issuer, jti, expires) VALUES ('city:' || $1, $2, from_us($3))
  ON CONFLICT DO NOTHING RETURNING issuer
)
SELECT coalesce((SELECT max(p.revision) FROM party AS p WHERE p.kind = 'city' AND p.city = $1), 0)
  FROM used

-- name: forget_assertions
WITH gone AS (DELETE FROM assertion_used WHERE expires < clock_timestamp() RETURNING 1)
SELECT count(*) FROM gone
