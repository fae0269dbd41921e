-- name: record
-- The commit of searches (see gateway/search_committer.py), by the rules of a decision's: a row is
-- recorded if and only if everything it was computed from still holds in this statement's snapshot.
-- The checks take no lock and can wait on nobody. Lists travel as text: rows of one array parameter
-- would all have to be of equal length.
WITH asked AS (
  SELECT t.id, t.head, t.received_us, t.party, t.party_revision, t.sector, t.citizen, t.version,
         t.digest, t.evaluated::integer[] AS evaluated, t.found::integer[] AS found,
         t.consents::uuid[] AS consents, t.consent_versions::integer[] AS consent_versions,
         t.since_us, t.until_us, t.good_until_us, t.facts_hash, t.sealed, t.staff, t.reference,
         t.score_as_of, t.fresh, t.n
    FROM unnest(
    $1::uuid[], $2::bytea[], $3::bigint[], $4::integer[], $5::bigint[], $6::integer[], $7::uuid[],
    $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[],
    $15::bigint[], $16::bigint[], $17::bytea[], $18::bytea[], $19::text[], $20::text[], $21::date[],
    $22::boolean[])
    WITH ORDINALITY AS t (
      id, head, received_us, party, party_revision, sector, citizen,
      version, digest, evaluated, found, consents, consent_versions, since_us,
      until_us, good_until_us, facts_hash, sealed, staff, reference, score_as_of, fresh, n)
), checked AS MATERIALIZED (
  SELECT a.*, s.version AS true_version, s.body AS true_body, clock_us() AS at_us,
         -- Version 0 was searched as "nobody by that name": that too must still be true.
         CASE WHEN a.version = 0 THEN s.citizen IS NULL
              ELSE s.version = a.version AND s.digest = a.digest END IS TRUE AS standing_holds,
         (p.revision = a.party_revision AND p.status = 'active') IS TRUE AS party_holds,
         (SELECT count(*) FROM policy AS o WHERE o.num = ANY (a.evaluated) AND o.live)
           = cardinality(a.evaluated) AS policies_hold, s.issuer, i.fresh_until
    FROM asked AS a
    LEFT JOIN standing AS s ON s.citizen = a.citizen
    LEFT JOIN issuer AS i ON i.num = s.issuer
    LEFT JOIN party AS p ON p.num = a.party
), recorded AS (
  INSERT INTO search (id, at_us, received_us, party, party_revision, sector, citizen,
    standing_version, evaluated, found, consents, consent_versions, since_us, until_us,
    valid_until_us, score_as_of, facts_hash, staff, reference, receipt)
  SELECT h.id, h.at_us, h.received_us, h.party, h.party_revision, h.sector, h.citizen,
    h.version, h.evaluated, h.found, h.consents, h.consent_versions, h.since_us, h.until_us,
    h.valid_until_us, h.score_as_of, h.facts_hash, h.staff, h.reference,
    sha256(h.head || int8send(h.at_us) || int8send(h.valid_until_us))
    -- What was found lasts no longer than what it rests on. That nothing else was is good for
    -- equally long whomever it is about, or its end would tell of a pause that ends.
    FROM (SELECT c.*, least(c.at_us + $23::bigint, c.good_until_us) AS valid_until_us
            FROM checked AS c
           WHERE c.standing_holds AND c.party_holds AND c.policies_hold
             AND c.since_us <= c.at_us AND c.at_us < c.until_us
             -- What was taken of the word of a visitor's home city, fresh or stale, must be so now.
             AND (c.issuer IS NULL OR (from_us(c.at_us) < c.fresh_until) = c.fresh)) AS h
  RETURNING id, at_us, valid_until_us, receipt
), kept AS (
  INSERT INTO search_facts (search, sealed)
  SELECT r.id, a.sealed FROM recorded AS r JOIN asked AS a USING (id)
)
SELECT c.at_us, r.valid_until_us, r.receipt, c.standing_holds, c.party_holds, c.policies_hold,
       (c.issuer IS NULL OR (from_us(c.at_us) < c.fresh_until) = c.fresh) IS TRUE AS issuer_holds,
       CASE WHEN NOT c.standing_holds THEN c.true_version END AS true_version,
       CASE WHEN NOT c.standing_holds THEN c.true_body END AS true_body
  FROM checked AS c
  LEFT JOIN recorded AS r ON r.id = c.id
 ORDER BY c.n

-- name: undelivered
-- Rows of statements whose outcome was unknown: recorded, and certainly not delivered.
INSERT INTO search_undelivered (search)
SELECT id FROM search WHERE id = ANY ($1::uuid[])
ON CONFLICT DO NOTHING RETURNING search
