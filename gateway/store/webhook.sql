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
-- Takes due messages for so many seconds: whoever dies with them loses them to the next sender.
UPDATE webhook_message AS m
   SET attempts = m.attempts + 1, next_at = clock_timestamp() + make_interval(secs => $2)
  FROM party AS p
 WHERE p.num = m.party AND m.id IN (
   SELECT id FROM webhook_message
    WHERE delivered_at IS NULL AND given_up_at IS NULL AND next_at <= clock_timestamp()
    ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
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
