-- name: listeners
-- The parties that act for a recipient in a scenario and want to be told.
SELECT p.num, e.sector FROM party_scenario AS s
  JOIN party AS p ON p.num = s.party
  JOIN legal_entity AS e ON e.id = s.recipient
 WHERE s.recipient = $1 AND s.scenario = $2 AND p.webhook_url IS NOT NULL AND p.status <> 'closed'
   AND NOT EXISTS (SELECT FROM webhook_gone AS g WHERE g.party = p.num AND g.url = p.webhook_url)
 ORDER BY p.num

-- name: listens
SELECT p.webhook_url IS NOT NULL AND p.status <> 'closed' AND NOT EXISTS (
         SELECT FROM webhook_gone AS g WHERE g.party = p.num AND g.url = p.webhook_url)
  FROM party AS p WHERE p.num = $1

-- name: add
INSERT INTO webhook_message (id, party, type, payload) VALUES ($1, $2, $3, $4)

-- name: claim
-- Takes due messages for so many seconds: whoever dies with them loses them to the next sender. At
-- most so many of each party, so that one who does not answer holds up nobody else.
WITH due AS (
  SELECT m.id FROM party AS p
   CROSS JOIN LATERAL (
     SELECT w.id, w.next_at FROM webhook_message AS w
      WHERE w.party = p.num AND w.delivered_at IS NULL AND w.given_up_at IS NULL
        AND w.next_at <= now()
      ORDER BY w.next_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS m
   ORDER BY m.next_at LIMIT $1
)
UPDATE webhook_message AS m
   SET attempts = m.attempts + 1, next_at = clock_timestamp() + make_interval(secs => $3)
  FROM party AS p
 WHERE p.num = m.party AND m.id IN (SELECT id FROM due)
RETURNING m.id, m.party, m.payload, m.attempts,
  CASE WHEN p.status <> 'closed' AND NOT EXISTS (
    SELECT FROM webhook_gone AS g WHERE g.party = p.num AND g.url = p.webhook_url)
  THEN p.webhook_url END AS url

-- name: delivered
UPDATE webhook_message SET delivered_at = clock_timestamp(), last_error = NULL WHERE id = $1

-- name: again
UPDATE webhook_message SET next_at = clock_timestamp() + make_interval(secs => $2), last_error = $3
 WHERE id = $1

-- name: give_up
UPDATE webhook_message SET given_up_at = clock_timestamp(), last_error = $2 WHERE id = $1

-- name: gone
INSERT INTO webhook_gone (party, url) VALUES ($1, $2) ON CONFLICT DO NOTHING
