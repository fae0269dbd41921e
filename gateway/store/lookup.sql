-- name: of_party
SELECT d.id, d.at_us, d.outcome, d.valid_until_us, d.score_as_of, d.receipt, o.scenario,
       o.revision, o.manifest, o.compiler
  FROM decision AS d JOIN policy AS o ON o.num = d.policy
 WHERE d.id = $1 AND d.party = $2

-- name: of_citizen
-- The recipient is the consent's, where one was relied on: a registration may have changed since.
SELECT d.id, d.at_us, d.received_us, d.outcome, d.clauses, d.valid_until_us, d.score_as_of,
       d.receipt, d.staff, d.reference, d.consent, d.consent_version, d.standing_version,
       o.scenario, o.revision, o.manifest, o.compiler, p.name AS party, e.name AS recipient,
       c.wrapped_key, f.sealed, u.decision IS NULL AS delivered
  FROM decision AS d
  JOIN policy AS o ON o.num = d.policy
  JOIN party AS p ON p.num = d.party
  JOIN citizen AS c ON c.id = d.citizen
  LEFT JOIN consent AS n ON n.id = d.consent AND n.version = d.consent_version
  LEFT JOIN party_scenario AS s ON s.party = d.party AND s.scenario = o.scenario
  JOIN legal_entity AS e ON e.id = coalesce(n.recipient, s.recipient, p.entity)
  LEFT JOIN decision_facts AS f ON f.decision = d.id
  LEFT JOIN decision_undelivered AS u ON u.decision = d.id
 WHERE d.id = $1 AND d.citizen = $2

-- name: reach
-- How far down a page looks: to the line after so many of one kind. A filter that nothing passes
-- would else read all of a citizen's years in one request.
SELECT greatest(
  (SELECT id FROM decision WHERE citizen = $1 AND id < $2 AND id >= $3
    ORDER BY id DESC OFFSET $4 LIMIT 1),
  (SELECT id FROM search WHERE citizen = $1 AND id < $2 AND id >= $3
    ORDER BY id DESC OFFSET $4 LIMIT 1))

-- name: questions
SELECT d.id, d.at_us, d.outcome, d.staff, d.reference, o.scenario, p.name AS party,
       u.decision IS NULL AS delivered
  FROM decision AS d
  JOIN policy AS o ON o.num = d.policy
  JOIN party AS p ON p.num = d.party
  LEFT JOIN decision_undelivered AS u ON u.decision = d.id
 WHERE d.citizen = $1 AND d.id < $2 AND d.id >= $3 AND d.at_us >= $4 AND d.at_us < $5
   AND ($6::text IS NULL OR o.scenario = $6)
   AND ($7::text IS NULL OR p.name = $7)
   AND ($8::smallint IS NULL OR d.outcome = $8)
 ORDER BY d.id DESC LIMIT $9

-- name: searches
-- Which scenarios a party searched among for the citizen, and which of them were open.
SELECT d.id, d.at_us, d.staff, d.reference, p.name AS party,
       ARRAY(SELECT row(o.scenario, o.num = ANY (d.found)) FROM policy AS o
              WHERE o.num = ANY (d.evaluated) ORDER BY o.scenario) AS scenarios,
       u.search IS NULL AS delivered
  FROM search AS d
  JOIN party AS p ON p.num = d.party
  LEFT JOIN search_undelivered AS u ON u.search = d.id
 WHERE d.citizen = $1 AND d.id < $2 AND d.id >= $3 AND d.at_us >= $4 AND d.at_us < $5
   AND ($6::text IS NULL
        OR EXISTS (SELECT FROM policy AS o WHERE o.num = ANY (d.evaluated) AND o.scenario = $6))
   AND ($7::text IS NULL OR p.name = $7)
 ORDER BY d.id DESC LIMIT $8

-- name: staff
SELECT id, to_us(at) AS at_us, staff, purpose, action
  FROM staff_access
 WHERE citizen = $1 AND id < $2 AND id >= $3 AND at >= from_us($4) AND at < from_us($5)
 ORDER BY id DESC LIMIT $6

-- name: assisted
-- What staff at a party's counter did for the citizen, who was there without a phone.
SELECT a.id, to_us(a.at) AS at_us, a.act, a.scenario, a.purpose, p.name AS party,
       a.staff_name AS staff, a.place, a.receipt_no
  FROM assisted_act AS a JOIN party AS p ON p.num = a.party
 WHERE a.citizen = $1 AND a.id < $2 AND a.id >= $3 AND a.at >= from_us($4) AND a.at < from_us($5)
   AND ($6::text IS NULL OR a.scenario = $6)
   AND ($7::text IS NULL OR p.name = $7)
 ORDER BY a.id DESC LIMIT $8
