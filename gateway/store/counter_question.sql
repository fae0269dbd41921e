-- name: add
INSERT INTO counter_question (id, party, staff, key, desk, scenario, reference)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (staff, key) DO NOTHING RETURNING id

-- name: of_key
SELECT id FROM counter_question WHERE staff = $1 AND key = $2

-- name: undecided
SELECT decision IS NULL FROM counter_question WHERE id = $1 AND staff = $2

-- name: waits
UPDATE counter_question SET request = $2 WHERE id = $1

-- name: decided
UPDATE counter_question SET decision = $2 WHERE id = $1

-- name: page
SELECT q.id, to_us(q.at) AS at_us, q.scenario, s.name AS staff, s.id = $2 AS mine, q.desk,
       q.reference, q.decision, d.outcome,
       CASE WHEN r.status = 'pending' AND r.expires_at <= clock_timestamp() THEN 'expired'
            ELSE r.status END AS request
  FROM counter_question AS q
  JOIN counter_staff AS s ON s.id = q.staff
  LEFT JOIN decision AS d ON d.id = q.decision
  LEFT JOIN consent_request AS r ON r.id = q.request
 WHERE q.party = $1 AND q.id < $3 AND q.at >= from_us($4)
 ORDER BY q.id DESC LIMIT $5
