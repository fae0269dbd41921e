-- name: add
INSERT INTO desk (number, party, kind, scenario, purpose, place) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (number) DO NOTHING RETURNING number

-- name: close
UPDATE desk SET closed_at = clock_timestamp() WHERE number = $1 AND closed_at IS NULL
RETURNING number

-- name: registered
-- Whether a party may ask about a scenario.
SELECT EXISTS (SELECT FROM party_scenario WHERE party = $1 AND scenario = $2)

-- name: everyone
SELECT d.number, p.id AS party, d.kind, d.scenario, d.purpose, d.place,
       d.closed_at IS NOT NULL AS closed
  FROM desk AS d JOIN party AS p ON p.num = d.party ORDER BY p.num, d.number

-- name: open
-- An open desk with what citizens see of it: who stands behind it, and who would receive the answer.
SELECT d.number, d.party, d.kind, d.scenario, d.purpose, d.place,
       p.name AS party_name, p.kind AS party_kind,
       e.name AS recipient_name, e.contact AS recipient_contact, e.promise AS recipient_promise
  FROM desk AS d
  JOIN party AS p ON p.num = d.party
  LEFT JOIN party_scenario AS s ON s.party = d.party AND s.scenario = d.scenario
  JOIN legal_entity AS e ON e.id = coalesce(s.recipient, p.entity)
 WHERE d.number = $1 AND d.closed_at IS NULL AND p.status = 'active'
   AND (d.scenario IS NULL OR s.scenario IS NOT NULL)

-- name: of_party
SELECT EXISTS (SELECT FROM desk WHERE number = $1 AND party = $2 AND closed_at IS NULL)

-- name: counters
SELECT number, place FROM desk
 WHERE party = $1 AND kind = 'counter' AND closed_at IS NULL ORDER BY number LIMIT 200
