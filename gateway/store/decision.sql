-- name: record
-- The commit (see gateway/committer.py). One row asked is one row returned. A row is recorded if
-- and only if everything it was computed from still holds in this statement's snapshot, which is
-- younger than every request in the batch. The checks take no lock and can wait on nobody; the only
-- unique key that two batches can meet on is a party's own request_id.
-- A proposal travels as the canonical bytes of its record (gateway/evidence.py), and the row is
-- made of them here: what the receipt hashes and what the row says cannot differ.
WITH sent AS (
  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[],
                       $7::bytea[], $8::integer[], $9::boolean[])
    WITH ORDINALITY AS t (head, digest, sealed, staff, reference, request_id, body_hash,
                          asked_frequency, fresh, n)
), asked AS (
  SELECT head, digest, sealed, staff, reference, request_id, body_hash, fresh, n,
         coalesce(asked_frequency, 0) AS frequency,
         encode(substring(head FROM 16 FOR 16), 'hex')::uuid AS id,
         encode(substring(head FROM 32 FOR 16), 'hex')::uuid AS citizen,
         nullif(encode(substring(head FROM 48 FOR 16), 'hex')::uuid,
                '00000000-0000-0000-0000-000000000000') AS consent,
         nullif(encode(substring(head FROM 64 FOR 16), 'hex')::uuid,
                '00000000-0000-0000-0000-000000000000') AS repeat_of,
         substring(head FROM 80 FOR 8)::bigint AS received_us,
         substring(head FROM 88 FOR 4)::integer AS party,
         substring(head FROM 92 FOR 8)::bigint AS party_revision,
         substring(head FROM 100 FOR 4)::integer AS policy,
         substring(head FROM 104 FOR 8)::bigint AS version,
         nullif(substring(head FROM 112 FOR 4)::integer, 0) AS consent_version,
         get_byte(head, 115)::smallint AS outcome,
         substring(head FROM 117 FOR 8)::bigint AS clauses,
         substring(head FROM 125 FOR 8)::bigint AS since_us,
         substring(head FROM 133 FOR 8)::bigint AS until_us,
         date '0001-01-01' + (nullif(substring(head FROM 141 FOR 4)::integer, 0) - 1) AS score_as_of,
         substring(head FROM 147 FOR 16) AS facts_hash
    FROM sent
), checked AS MATERIALIZED (
  SELECT a.*, s.version AS true_version, s.body AS true_body, clock_us() AS at_us,
         -- Version 0 was decided as "nobody by that name": that too must still be true.
         CASE WHEN a.version = 0 THEN s.citizen IS NULL
              ELSE s.version = a.version AND s.digest = a.digest END IS TRUE AS standing_holds,
         p.revision = a.party_revision AND p.status = 'active' AS party_holds,
         o.live AS policy_holds, s.issuer, i.fresh_until
    FROM asked AS a
    LEFT JOIN standing AS s ON s.citizen = a.citizen
    -- Of citizens of the city there is none to look up.
    LEFT JOIN issuer AS i ON i.num = s.issuer
    LEFT JOIN party AS p ON p.num = a.party
    LEFT JOIN policy AS o ON o.num = a.policy
), holding AS MATERIALIZED (
  -- A yes (outcome 1) lasts no longer than what it rests on. Any other answer is good for equally
  -- long whomever it is about, or its end would tell of a pause that ends or a consent that begins.
  SELECT c.*, CASE WHEN c.outcome = 1 THEN least(c.at_us + $10::bigint, c.until_us)
                   ELSE c.at_us + $10::bigint END AS valid_until_us
    FROM checked AS c
   WHERE c.standing_holds AND c.party_holds AND c.policy_holds
     AND c.since_us <= c.at_us AND c.at_us < c.until_us
     -- A visitor's answer took the home city's word for fresh, or for stale: that must be so now.
     AND (c.issuer IS NULL OR (from_us(c.at_us) < c.fresh_until) = c.fresh)
), counted AS (
  -- Only the single lane sends rows with a frequency: this may wait for the same consent's counter.
  INSERT INTO consent_use AS u (consent, day, uses, allowed)
  SELECT h.consent, (from_us(h.at_us) AT TIME ZONE 'Asia/Shanghai')::date, 1, h.frequency
    FROM holding AS h
   WHERE h.frequency > 0 AND (h.request_id IS NULL OR h.repeat_of IS NOT NULL OR NOT EXISTS (
     SELECT FROM decision_request AS q WHERE q.party = h.party AND q.request_id = h.request_id))
  ON CONFLICT (consent, day) DO UPDATE SET uses = u.uses + 1, allowed = excluded.allowed
   WHERE u.uses < excluded.allowed
  RETURNING consent
), passing AS MATERIALIZED (
  SELECT * FROM holding
   WHERE frequency = 0 OR consent IN (SELECT consent FROM counted)
), claimed AS (
  INSERT INTO decision_request (party, request_id, body_hash, decision)
  SELECT party, request_id, body_hash, id FROM passing
   WHERE request_id IS NOT NULL AND repeat_of IS NULL
   ORDER BY party, request_id
  ON CONFLICT DO NOTHING
  RETURNING decision
), moved AS (
  -- A repeated question whose saved answer no longer held: the new answer takes its place.
  UPDATE decision_request AS q SET decision = h.id, at = clock_timestamp()
    FROM passing AS h
   WHERE h.repeat_of IS NOT NULL AND q.party = h.party AND q.request_id = h.request_id
     AND q.decision = h.repeat_of
  RETURNING q.decision
), recorded AS (
  INSERT INTO decision (id, at_us, received_us, party, party_revision, policy, citizen,
    standing_version, consent, consent_version, outcome, clauses, since_us, until_us,
    valid_until_us, score_as_of, facts_hash, staff, reference, repeat_of, receipt)
  SELECT h.id, h.at_us, h.received_us, h.party, h.party_revision, h.policy, h.citizen,
    h.version, h.consent, h.consent_version, h.outcome, h.clauses, h.since_us, h.until_us,
    h.valid_until_us, h.score_as_of, h.facts_hash, h.staff, h.reference, h.repeat_of,
    sha256(h.head || int8send(h.at_us) || int8send(h.valid_until_us))
    FROM passing AS h
   WHERE h.request_id IS NULL
      OR h.id IN (SELECT decision FROM claimed UNION ALL SELECT decision FROM moved)
  RETURNING id, at_us, valid_until_us, receipt
), kept AS (
  INSERT INTO decision_facts (decision, sealed)
  SELECT r.id, a.sealed FROM recorded AS r JOIN asked AS a USING (id)
)
SELECT c.at_us, r.valid_until_us, r.receipt,
       c.standing_holds, c.party_holds IS TRUE AS party_holds,
       c.policy_holds IS TRUE AS policy_holds,
       c.since_us <= c.at_us AND c.at_us < c.until_us AS time_holds,
       (c.issuer IS NULL OR (from_us(c.at_us) < c.fresh_until) = c.fresh) IS TRUE AS issuer_holds,
       h.id IS NOT NULL AND p.id IS NULL AND (c.repeat_of IS NOT NULL OR NOT EXISTS (
         SELECT FROM decision_request AS q
          WHERE q.party = c.party AND q.request_id = c.request_id)) AS used_up,
       CASE WHEN NOT c.standing_holds THEN c.true_version END AS true_version,
       CASE WHEN NOT c.standing_holds THEN c.true_body END AS true_body
  FROM checked AS c
  LEFT JOIN holding AS h ON h.id = c.id
  LEFT JOIN passing AS p ON p.id = c.id
  LEFT JOIN recorded AS r ON r.id = c.id
 ORDER BY c.n

-- name: replay
-- A party repeats a question: what was answered, and whether all of it still holds at this moment.
-- An answer past its time is not repeated: the party would hear of the citizen again without a
-- record of it, and beyond the number of questions a day that the consent allows.
SELECT q.body_hash, q.decision, d.at_us, d.outcome, d.policy, d.score_as_of, d.receipt,
       d.valid_until_us,
       CASE WHEN d.standing_version = 0 THEN s.citizen IS NULL
            ELSE s.version = d.standing_version END IS TRUE
         AND (p.revision = d.party_revision AND p.status = 'active') IS TRUE
         AND o.live IS TRUE
         AND d.since_us <= now.us AND now.us < least(d.until_us, d.at_us + $3::bigint)
         -- A visitor's answer says by its clauses whether the home city's word was fresh.
         AND (s.issuer IS NULL
              OR (from_us(now.us) < i.fresh_until) = ((d.clauses & $4::bigint) <> 0)) IS TRUE
           AS holds
  FROM decision_request AS q
  JOIN decision AS d ON d.id = q.decision
  CROSS JOIN (SELECT clock_us() AS us) AS now
  LEFT JOIN standing AS s ON s.citizen = d.citizen
  LEFT JOIN issuer AS i ON i.num = s.issuer
  LEFT JOIN party AS p ON p.num = d.party
  LEFT JOIN policy AS o ON o.num = d.policy
 WHERE q.party = $1 AND q.request_id = $2

-- name: living
SELECT a.pid FROM unnest($1::integer[], $2::bigint[]) AS lost (pid, at_us)
  JOIN pg_stat_activity AS a ON a.pid = lost.pid AND a.backend_start < from_us(lost.at_us)

-- name: undelivered
-- Rows of statements whose outcome was unknown: recorded, and certainly not delivered.
INSERT INTO decision_undelivered (decision)
SELECT id FROM decision WHERE id = ANY ($1::uuid[])
ON CONFLICT DO NOTHING RETURNING decision

-- name: totals
SELECT o.scenario, d.outcome, count(*) AS answers
  FROM decision AS d JOIN policy AS o ON o.num = d.policy
 WHERE d.id >= $1 GROUP BY o.scenario, d.outcome ORDER BY o.scenario, d.outcome
