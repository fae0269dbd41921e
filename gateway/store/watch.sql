-- name: news
-- What there is of late about all citizens of $1, in one look: lines from id $3 to below $4, at most
-- $6 of a kind for each; what they are asked in person; their standings' versions, which every
-- change of a consent moves; and which of the sessions of $2 go on, by their place there.
-- The bounds of the id prune the months. Each citizen is a look-up of its own (LATERAL), so the work
-- is so many descents of an index for each who watches, whatever the tables hold. An act of staff
-- is indexed by its time: $5 is that of $3, less how far the two may lie apart.
SELECT 'question' AS kind, w.citizen, d.id, NULL::bigint AS number
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id FROM decision
                      WHERE citizen = w.citizen AND id >= $3::uuid AND id < $4::uuid
                      ORDER BY id DESC LIMIT $6) AS d
UNION ALL
SELECT 'search', w.citizen, d.id, NULL
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id FROM search
                      WHERE citizen = w.citizen AND id >= $3::uuid AND id < $4::uuid
                      ORDER BY id DESC LIMIT $6) AS d
UNION ALL
SELECT 'staff', w.citizen, d.id, NULL
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id FROM staff_access
                      WHERE citizen = w.citizen AND at >= from_us($5)
                        AND id >= $3::uuid AND id < $4::uuid
                      ORDER BY id DESC LIMIT $6) AS d
UNION ALL
SELECT 'assisted', w.citizen, d.id, NULL
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id FROM assisted_act
                      WHERE citizen = w.citizen AND id >= $3::uuid AND id < $4::uuid
                      ORDER BY id DESC LIMIT $6) AS d
UNION ALL
SELECT 'asked', w.citizen, d.id, NULL
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id FROM consent_request
                      WHERE citizen = w.citizen AND status = 'pending' AND expires_at > now()
                      ORDER BY id DESC LIMIT 8) AS d
UNION ALL
SELECT 'standing', w.citizen, NULL, d.version
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT version FROM standing WHERE citizen = w.citizen LIMIT 1) AS d
UNION ALL
SELECT 'session', d.citizen, NULL, h.place
  FROM unnest($2::bytea[]) WITH ORDINALITY AS h (id_hash, place)
 CROSS JOIN LATERAL (SELECT s.citizen
                       FROM session AS s JOIN citizen AS c ON c.id = s.citizen
                      WHERE s.id_hash = h.id_hash AND s.ended_at IS NULL
                        AND s.expires_at > clock_timestamp() AND c.erased_at IS NULL
                      LIMIT 1) AS d

-- name: questions
-- The lines of these ids; the lowest and the highest of them prune the months.
SELECT d.id, d.at_us, d.outcome, d.staff, d.reference, o.scenario, p.name AS party,
       u.decision IS NULL AS delivered
  FROM decision AS d
  JOIN policy AS o ON o.num = d.policy
  JOIN party AS p ON p.num = d.party
  LEFT JOIN decision_undelivered AS u ON u.decision = d.id
 WHERE d.id = ANY ($1::uuid[]) AND d.id >= $2::uuid AND d.id <= $3::uuid

-- name: searches
SELECT d.id, d.at_us, d.staff, d.reference, p.name AS party,
       ARRAY(SELECT row(o.scenario, o.num = ANY (d.found)) FROM policy AS o
              WHERE o.num = ANY (d.evaluated) ORDER BY o.scenario) AS scenarios,
       u.search IS NULL AS delivered
  FROM search AS d
  JOIN party AS p ON p.num = d.party
  LEFT JOIN search_undelivered AS u ON u.search = d.id
 WHERE d.id = ANY ($1::uuid[]) AND d.id >= $2::uuid AND d.id <= $3::uuid

-- name: staff
SELECT id, to_us(at) AS at_us, staff, purpose, action
  FROM staff_access WHERE id = ANY ($1::uuid[])

-- name: assisted
SELECT a.id, to_us(a.at) AS at_us, a.act, a.scenario, a.purpose, p.name AS party,
       a.staff_name AS staff, a.place, a.receipt_no
  FROM assisted_act AS a JOIN party AS p ON p.num = a.party
 WHERE a.id = ANY ($1::uuid[])

-- name: consent_changes
-- The last change of any consent of these citizens.
SELECT w.citizen, d.id, d.version, d.status, to_us(d.at) AS at_us
  FROM unnest($1::uuid[]) AS w (citizen)
 CROSS JOIN LATERAL (SELECT id, version, status, at FROM consent
                      WHERE citizen = w.citizen ORDER BY at DESC, version DESC LIMIT 1) AS d
