-- name: push
INSERT INTO recognition_request (id, uri_hash, party, redirect_uri, scenarios, state,
  code_challenge, jkt, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
        clock_timestamp() + make_interval(secs => $9::double precision))

-- name: pushed
SELECT r.id, r.redirect_uri, r.state
  FROM recognition_request AS r JOIN party AS p ON p.num = r.party
 WHERE r.uri_hash = $1 AND p.kind = 'city' AND p.city = $2 AND r.status = 'pushed'
   AND r.expires_at > clock_timestamp()

-- name: open
-- One statement decides who was first.
UPDATE recognition_request
   SET status = 'opened', opened_at = clock_timestamp(),
       expires_at = clock_timestamp() + make_interval(secs => $2::double precision)
 WHERE id = $1 AND status = 'pushed' AND expires_at > clock_timestamp()
RETURNING id

-- name: turn_away
UPDATE recognition_request SET status = 'void' WHERE id = $1 AND status = 'pushed' RETURNING id

-- name: bind
UPDATE recognition_request SET citizen = $2, session = $3
 WHERE id = $1 AND status = 'opened' AND session IS NULL AND expires_at > clock_timestamp()

-- name: held
-- As it stands for the one session that may decide it. A visitor is another city's to vouch for.
SELECT r.id, r.status, p.city, r.redirect_uri, r.scenarios, r.state,
       to_us(r.expires_at) AS expires_us, r.expires_at <= clock_timestamp() AS over,
       p.name AS party_name, e.name AS recipient_name, e.contact AS recipient_contact,
       e.promise AS recipient_promise
  FROM recognition_request AS r
  JOIN party AS p ON p.num = r.party
  JOIN party_scenario AS s ON s.party = p.num AND s.scenario = 'recognition'
  JOIN legal_entity AS e ON e.id = s.recipient
 WHERE r.id = $1 AND r.citizen = $2 AND r.session = $3
   AND NOT EXISTS (SELECT FROM visitor AS v WHERE v.citizen = r.citizen)

-- name: lock
SELECT id FROM recognition_request WHERE id = $1 FOR UPDATE

-- name: allow
UPDATE recognition_request
   SET status = 'allowed', scenarios = $2, consent = $3, consent_version = $4, code_hash = $5,
       code_until = clock_timestamp() + make_interval(secs => $6::double precision)
 WHERE id = $1

-- name: decline
UPDATE recognition_request SET status = 'declined' WHERE id = $1

-- name: redeem
-- A code buys a token once, of whoever it was made for, to whom it was sent, with its verifier.
UPDATE recognition_request
   SET status = 'redeemed', token_hash = $5,
       token_until = clock_timestamp() + make_interval(secs => $6::double precision)
 WHERE code_hash = $1 AND party = $2 AND redirect_uri = $3 AND code_challenge = $4
   AND status = 'allowed' AND code_until > clock_timestamp()
RETURNING scenarios

-- name: of_code
SELECT id, party, status, citizen, code_until <= clock_timestamp() AS over
  FROM recognition_request WHERE code_hash = $1

-- name: spoil
-- A code is tried once by its client, whatever comes of it.
UPDATE recognition_request SET status = 'void' WHERE id = $1 AND status = 'allowed' RETURNING id

-- name: take
UPDATE recognition_request SET status = 'exchanged'
 WHERE token_hash = $1 AND party = $2 AND status = 'redeemed' AND token_until > clock_timestamp()
RETURNING id, citizen, consent, scenarios, jkt

-- name: taken_back
-- Whether the consent was withdrawn, or over, at any time since the request was allowed by it.
SELECT EXISTS (
  SELECT FROM recognition_request AS r
    JOIN consent AS c ON c.id = r.consent AND c.version > r.consent_version
   WHERE r.id = $1 AND c.status IN ('withdrawn', 'expired'))

-- name: led_to
-- Nothing comes of a request that was made void meanwhile.
UPDATE recognition_request SET recognition = $2 WHERE id = $1 AND status = 'exchanged' RETURNING id

-- name: void
UPDATE recognition_request SET status = 'void'
 WHERE id = $1 AND status IN ('redeemed', 'exchanged')

-- name: still_living
-- A statement of its own: what an exchange has just written is seen by it.
SELECT r.id FROM recognition_request AS q JOIN recognition AS r ON r.id = q.recognition
 WHERE q.id = $1 AND r.ended_at IS NULL

-- name: forget
DELETE FROM recognition_request WHERE citizen = $1
