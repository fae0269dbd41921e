-- Scans compare with now(), the transaction's start: clock_timestamp() is volatile, and no index or
-- partition bound can be compared with it. Single rows compare with clock_timestamp().

-- name: add_request
-- Two requests under one number at once: the second waits for the first and adds nothing.
INSERT INTO consent_request (id, party, recipient, scenario, purpose, out_request_no, body_hash,
  return_uri, citizen, desk, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
        clock_timestamp() + make_interval(secs => $11::double precision))
ON CONFLICT (party, out_request_no) DO NOTHING

-- name: request_of_number
SELECT r.id, r.body_hash, r.status, to_us(r.expires_at) AS expires_us,
       r.status = 'pending' AND r.expires_at <= clock_timestamp() AS over, r.citizen, e.sector,
       r.desk
  FROM consent_request AS r JOIN legal_entity AS e ON e.id = r.recipient
 WHERE r.party = $1 AND r.out_request_no = $2

-- name: request_of_party
SELECT r.id, r.body_hash, r.status, to_us(r.expires_at) AS expires_us,
       r.status = 'pending' AND r.expires_at <= clock_timestamp() AS over, r.citizen, e.sector,
       r.desk
  FROM consent_request AS r JOIN legal_entity AS e ON e.id = r.recipient
 WHERE r.id = $1 AND r.party = $2 AND NOT starts_with(r.out_request_no, 'citizen/')

-- name: own_open
-- What a citizen opened of the own accord and has not decided, towards one party.
SELECT r.id, r.body_hash, r.status, to_us(r.expires_at) AS expires_us, false AS over, r.citizen,
       e.sector, r.desk
  FROM consent_request AS r JOIN legal_entity AS e ON e.id = r.recipient
 WHERE r.citizen = $1 AND r.body_hash = $2 AND r.status = 'pending'
   AND starts_with(r.out_request_no, 'citizen/')
   -- One that is about to end is of no use to somebody who begins to read.
   AND r.expires_at > clock_timestamp() + interval '5 minutes'
 ORDER BY r.id DESC LIMIT 1

-- name: own_today
SELECT count(*)::integer FROM consent_request
 WHERE citizen = $1 AND starts_with(out_request_no, 'citizen/')
   AND created_at > clock_timestamp() - interval '24 hours'

-- name: one_at_a_time
SELECT pg_advisory_xact_lock(hashtextextended('own-consent-request/' || $1::uuid::text, 0))

-- name: shown
SELECT r.id, r.scenario, r.purpose, r.return_uri, r.status, to_us(r.expires_at) AS expires_us,
       r.status = 'pending' AND r.expires_at <= clock_timestamp() AS over, r.citizen,
       e.name AS recipient_name, e.contact AS recipient_contact, e.promise AS recipient_promise,
       p.name AS party_name, p.kind AS party_kind, p.id AS party, p.city AS party_city,
       starts_with(r.out_request_no, 'citizen/') AS own,
       r.desk, d.place
  FROM consent_request AS r
  JOIN legal_entity AS e ON e.id = r.recipient
  JOIN party AS p ON p.num = r.party
  LEFT JOIN desk AS d ON d.number = r.desk
 WHERE r.id = $1

-- name: peers
-- Who else asks for the same recipient in the scenario of a request, and how many they are in all.
SELECT p.name, count(*) OVER () AS among
  FROM consent_request AS r
  JOIN party_scenario AS s ON s.scenario = r.scenario AND s.recipient = r.recipient
  JOIN party AS p ON p.num = s.party
 WHERE r.id = $1 AND p.status = 'active' AND p.num <> r.party
 ORDER BY p.name, p.id LIMIT $2

-- name: waiting_for
-- What a citizen was asked in person: the requests that name the citizen and are still open. What
-- the citizen began and left is nothing to be reminded of.
SELECT id FROM consent_request
 WHERE citizen = $1 AND status = 'pending' AND expires_at > clock_timestamp()
   AND NOT starts_with(out_request_no, 'citizen/')
 ORDER BY id DESC LIMIT 50

-- name: open_in_person
-- The open request that a party has before a citizen already, for the same thing at the same desk.
SELECT r.id, r.body_hash, r.status, to_us(r.expires_at) AS expires_us, false AS over, r.citizen,
       e.sector, r.desk
  FROM consent_request AS r JOIN legal_entity AS e ON e.id = r.recipient
 WHERE r.citizen = $2 AND r.party = $1 AND r.scenario = $3 AND r.purpose = $4
   AND r.desk IS NOT DISTINCT FROM $5 AND r.status = 'pending'
   AND r.expires_at > clock_timestamp()
 ORDER BY r.id DESC LIMIT 1

-- name: lock_request
SELECT id, party, recipient, scenario, purpose, out_request_no, status, citizen, consent, desk,
       status = 'pending' AND expires_at <= clock_timestamp() AS over
  FROM consent_request WHERE id = $1 FOR UPDATE

-- name: decide_request
UPDATE consent_request
   SET status = $2, citizen = $3, consent = $4, decided_at = clock_timestamp()
 WHERE id = $1

-- name: expire_requests
UPDATE consent_request SET status = 'expired', decided_at = clock_timestamp()
 WHERE id IN (SELECT id FROM consent_request
               WHERE status = 'pending' AND expires_at <= now()
               ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id, party, scenario, out_request_no, desk

-- name: newest
-- The newest version of the consent that a citizen gave to a recipient for a scenario.
SELECT id, version, citizen, recipient, scenario, purpose, fields, text_version, text_sha256,
       to_us(from_at) AS from_us, to_us(to_at) AS to_us, frequency, status,
       to_us(paused_until) AS paused_until_us, to_us(at) AS at_us, clock_us() AS now_us
  FROM consent WHERE citizen = $1 AND recipient = $2 AND scenario = $3
 ORDER BY version DESC LIMIT 1

-- name: current
SELECT id, version, citizen, recipient, scenario, purpose, fields, text_version, text_sha256,
       to_us(from_at) AS from_us, to_us(to_at) AS to_us, frequency, status,
       to_us(paused_until) AS paused_until_us, to_us(at) AS at_us, clock_us() AS now_us
  FROM consent WHERE id = $1 AND citizen = $2
 ORDER BY version DESC LIMIT 1

-- name: now
SELECT clock_us()

-- name: add
INSERT INTO consent (id, version, citizen, recipient, scenario, purpose, fields, text_version,
  text_sha256, from_at, to_at, frequency, status, paused_until, request, at, assisted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, from_us($10), from_us($11), $12, $13, from_us($14), $15,
  from_us($16), $17)

-- name: of_citizen
SELECT n.id, n.version, n.citizen, n.recipient, n.scenario, n.purpose, n.fields, n.text_version,
       n.text_sha256, to_us(n.from_at) AS from_us, to_us(n.to_at) AS to_us, n.frequency, n.status,
       to_us(n.paused_until) AS paused_until_us, to_us(n.at) AS at_us, clock_us() AS now_us,
       e.name AS recipient_name, e.contact AS recipient_contact, e.promise AS recipient_promise
  FROM (SELECT DISTINCT ON (id) id, version, citizen, recipient, scenario, purpose, fields,
               text_version, text_sha256, from_at, to_at, frequency, status, paused_until, at
          FROM consent WHERE citizen = $1 ORDER BY id, version DESC) AS n
  JOIN legal_entity AS e ON e.id = n.recipient
 ORDER BY n.at DESC

-- name: versions
SELECT n.version, n.status, to_us(n.from_at) AS from_us, to_us(n.to_at) AS to_us, n.frequency,
       to_us(n.paused_until) AS paused_until_us, n.text_version, n.text_sha256,
       to_us(n.at) AS at_us, a.staff_name, a.place
  FROM consent AS n LEFT JOIN assisted_act AS a ON a.id = n.assisted
 WHERE n.id = $1 AND n.citizen = $2 ORDER BY n.version

-- name: asked_today
-- Answers a day in Asia/Shanghai under each consent, counted from the answers themselves; a search
-- answers under the consents of what it found.
SELECT consent, count(*)::integer AS answers
  FROM (SELECT consent FROM decision
         WHERE citizen = $1 AND consent IS NOT NULL
           AND id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))
        UNION ALL
        SELECT unnest(consents) FROM search
         WHERE citizen = $1
           AND id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))) AS answered
 GROUP BY consent

-- name: uses_today
-- How often each of these consents was used today (Asia/Shanghai), as the commit counts.
SELECT consent, uses FROM consent_use
 WHERE consent = ANY ($1::uuid[])
   AND day = (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date

-- name: ended
-- Consents whose time has run out and that nobody has said so of; a month back at most.
SELECT c.id, c.citizen FROM consent AS c
 WHERE c.to_at <= now() AND c.to_at > now() - interval '31 days'
   AND c.status IN ('active', 'paused')
   AND NOT EXISTS (SELECT FROM consent AS n WHERE n.id = c.id AND n.version > c.version)
 ORDER BY c.to_at LIMIT $1
