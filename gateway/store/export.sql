-- The sections of a citizen's export, a page at a time: $1 is the citizen, the last parameter the
-- page's size, and between them is the place after which the page begins, in the order of its rows.
-- Columns that end in _us are instants; others go out as they are.

-- name: authorisations
SELECT version, status, notice, encode(text_sha256, 'hex') AS text_sha256, leave_out,
       to_us(at) AS at_us
  FROM score_authorisation WHERE citizen = $1 AND version > $2 ORDER BY version LIMIT $3

-- name: facts
SELECT f.department, f.code, f.source_ref AS source, f.dimension, f.value, f.effective, f.expires,
       f.determined, f.sphere, to_us(f.imported_at) AS imported_at_us
  FROM citizen AS c JOIN fact AS f ON f.identity_index = c.identity_index
 WHERE c.id = $1 AND (f.department, f.code, f.source_ref) > ($2, $3, $4)
 ORDER BY f.department, f.code, f.source_ref LIMIT $5

-- name: consent_requests
SELECT r.id, p.name AS party, e.name AS recipient, r.scenario, r.purpose, r.out_request_no,
       r.return_uri, k.place, r.status, r.consent, to_us(r.created_at) AS created_at_us,
       to_us(r.expires_at) AS expires_at_us, to_us(r.decided_at) AS decided_at_us
  FROM consent_request AS r
  JOIN party AS p ON p.num = r.party
  JOIN legal_entity AS e ON e.id = r.recipient
  LEFT JOIN desk AS k ON k.number = r.desk
 WHERE r.citizen = $1 AND r.id > $2 ORDER BY r.id LIMIT $3

-- name: consents
SELECT n.id, n.version, e.name AS recipient, n.scenario, n.purpose, n.fields, n.text_version,
       encode(n.text_sha256, 'hex') AS text_sha256, to_us(n.from_at) AS since_us,
       to_us(n.to_at) AS until_us, n.frequency, n.status, to_us(n.paused_until) AS paused_until_us,
       n.request, n.assisted, to_us(n.at) AS at_us
  FROM consent AS n JOIN legal_entity AS e ON e.id = n.recipient
 WHERE n.citizen = $1 AND (n.id, n.version) > ($2, $3) ORDER BY n.id, n.version LIMIT $4

-- name: recognitions
SELECT r.id, r.city, p.name AS party, r.consent, r.scenarios, r.scheme, r.scheme_version, r.tier,
       r.band_floor, r.reserved_fen, r.status_list, r.status_idx, r.issued_on,
       to_us(r.until_at) AS until_us, to_us(r.ended_at) AS ended_at_us, r.reason
  FROM recognition AS r JOIN party AS p ON p.num = r.party
 WHERE r.citizen = $1 AND r.id > $2 ORDER BY r.id LIMIT $3

-- name: commitments
SELECT m.id, m.version, m.citizen, m.scenario, m.entity, e.name AS entity_name, m.template,
       m.template_version, m.text_sha256, m.device, m.jws, m.assisted, m.status,
       to_us(m.signed_at) AS signed_us, to_us(m.at) AS at_us
  FROM commitment AS m LEFT JOIN legal_entity AS e ON e.id = m.entity
 WHERE m.citizen = $1 AND (m.id, m.version) > ($2, $3) ORDER BY m.id, m.version LIMIT $4

-- name: devices
SELECT id, kid, jwk, name, to_us(registered_at) AS registered_at_us,
       to_us(revoked_at) AS revoked_at_us, to_us(compromised_since) AS compromised_since_us
  FROM device WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: sessions
-- Times alone: the hash of a cookie only says where the next page begins.
SELECT id_hash, to_us(created_at) AS begun_at_us, to_us(expires_at) AS ends_at_us,
       to_us(ended_at) AS ended_at_us
  FROM session WHERE citizen = $1 AND id_hash > $2 ORDER BY id_hash LIMIT $3

-- name: questions
-- The recipient is the consent's, where one was relied on: a registration may have changed since.
SELECT d.id, d.received_us AS asked_at_us, d.at_us AS answered_at_us,
       d.valid_until_us, d.outcome, d.clauses, d.score_as_of, d.staff, d.reference, d.consent,
       d.consent_version, d.standing_version, d.repeat_of, d.policy, o.scenario, o.revision,
       p.name AS party, e.name AS recipient, f.sealed, u.decision IS NULL AS delivered, d.receipt,
       d.citizen, d.party AS party_num, d.party_revision, d.since_us, d.until_us, d.facts_hash
  FROM decision AS d
  JOIN policy AS o ON o.num = d.policy
  JOIN party AS p ON p.num = d.party
  LEFT JOIN consent AS n ON n.id = d.consent AND n.version = d.consent_version
  LEFT JOIN party_scenario AS s ON s.party = d.party AND s.scenario = o.scenario
  JOIN legal_entity AS e ON e.id = coalesce(n.recipient, s.recipient, p.entity)
  LEFT JOIN decision_facts AS f ON f.decision = d.id
  LEFT JOIN decision_undelivered AS u ON u.decision = d.id
 WHERE d.citizen = $1 AND d.id > $2 ORDER BY d.id LIMIT $3

-- name: searches
SELECT d.id, d.received_us AS asked_at_us, d.at_us AS answered_at_us, d.valid_until_us,
       d.score_as_of, d.staff, d.reference, d.standing_version, p.name AS party,
       e.name AS recipient, f.sealed, u.search IS NULL AS delivered, d.receipt,
       ARRAY(SELECT row(o.scenario, o.num = ANY (d.found)) FROM policy AS o
              WHERE o.num = ANY (d.evaluated) ORDER BY o.scenario) AS scenarios,
       ARRAY(SELECT row(c.id, c.version) FROM unnest(d.consents, d.consent_versions) AS c (id, version))
         AS consents,
       d.citizen, d.party AS party_num, d.party_revision, d.sector, d.evaluated, d.found,
       d.since_us, d.until_us, d.facts_hash
  FROM search AS d
  JOIN party AS p ON p.num = d.party
  JOIN legal_entity AS e ON e.sector = d.sector
  LEFT JOIN search_facts AS f ON f.search = d.id
  LEFT JOIN search_undelivered AS u ON u.search = d.id
 WHERE d.citizen = $1 AND d.id > $2 ORDER BY d.id LIMIT $3

-- name: staff_acts
SELECT id, to_us(at) AS at_us, staff, purpose, action
  FROM staff_access WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: assisted_acts
SELECT a.id, to_us(a.at) AS at_us, a.act, a.scenario, a.purpose, p.name AS party,
       a.staff_name AS staff, a.place, a.document, a.target, a.target_version, a.text_version,
       encode(a.text_sha256, 'hex') AS text_sha256, a.receipt_no,
       encode(a.receipt_sha256, 'hex') AS receipt_sha256
  FROM assisted_act AS a JOIN party AS p ON p.num = a.party
 WHERE a.citizen = $1 AND a.id > $2 ORDER BY a.id LIMIT $3

-- name: waivers
SELECT w.id, coalesce(e.name, w.entity) AS entity, w.deposit_fen, to_us(w.opened_at) AS opened_at_us,
       to_us(w.settled_at) AS settled_at_us
  FROM waiver AS w LEFT JOIN legal_entity AS e ON e.id = w.entity
 WHERE w.citizen = $1 AND w.id > $2 ORDER BY w.id LIMIT $3

-- name: medical_advances
SELECT id, amount_fen, to_us(opened_at) AS opened_at_us, to_us(settled_at) AS settled_at_us
  FROM medical_advance WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: loans
SELECT l.id, coalesce(e.name, l.entity) AS entity, l.items, to_us(l.due_at) AS due_at_us,
       to_us(l.returned_at) AS returned_at_us
  FROM loan AS l LEFT JOIN legal_entity AS e ON e.id = l.entity
 WHERE l.citizen = $1 AND l.id > $2 ORDER BY l.id LIMIT $3

-- name: library_cards
SELECT entity, card FROM library_card
 WHERE citizen = $1 AND (entity, card) > ($2, $3) ORDER BY entity, card LIMIT $4

-- name: points
SELECT id, community, points, to_us(at) AS at_us, to_us(expires_at) AS expires_at_us
  FROM points_entry WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: residency
SELECT community, to_us(from_at) AS since_us, to_us(to_at) AS until_us
  FROM residency WHERE citizen = $1 AND (community, from_at) > ($2, from_us($3))
 ORDER BY community, from_at LIMIT $4

-- name: suspensions
SELECT id, scenario, to_us(from_at) AS since_us, to_us(lifted_at) AS lifted_at_us
  FROM suspension WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: objections
SELECT id, scenario, to_us(opened_at) AS opened_at_us, to_us(closed_at) AS closed_at_us
  FROM objection WHERE citizen = $1 AND id > $2 ORDER BY id LIMIT $3

-- name: marks
SELECT m.sector, e.name AS recipient, to_us(m.until_at) AS until_us
  FROM probe_mark AS m JOIN legal_entity AS e ON e.sector = m.sector
 WHERE m.citizen = $1 AND m.sector > $2 ORDER BY m.sector LIMIT $3

-- name: visits
SELECT v.id, i.code AS home, v.scheme, v.scheme_version, v.tier, v.band, v.scenarios, v.limit_fen,
       v.as_of, v.policy, v.status_uri, v.number, v.opened_on, v.ended_on, v.reason
  FROM visit AS v JOIN issuer AS i ON i.num = v.issuer
 WHERE v.citizen = $1 AND v.id > $2 ORDER BY v.id LIMIT $3

-- name: corrections
SELECT id, citizen, about, sealed, status, to_us(received_at) AS received_us, due_on,
       to_us(decided_at) AS decided_us, staff, answer
  FROM correction_request WHERE citizen = $1 AND id > $2 AND sealed IS NOT NULL
 ORDER BY id LIMIT $3

-- name: limits
SELECT what, to_us(full_at) AS full_at_us
  FROM citizen_limit WHERE citizen = $1 AND what > $2 ORDER BY what LIMIT $3

-- name: texts
-- The words that were agreed to, found by their hash, which covers the version and the Chinese
-- words (scenarios/manifest.py); where several manifests have them, the newest one's translation.
SELECT DISTINCT ON (wanted.kind, wanted.scenario, wanted.text_sha256)
  encode(wanted.text_sha256, 'hex') AS text_sha256, wanted.kind, wanted.scenario,
  said.text ->> 'version' AS version, said.text ->> 'zh' AS zh, said.text ->> 'en' AS en
  FROM unnest($1::text[], $2::text[], $3::bytea[]) AS wanted (kind, scenario, text_sha256)
  JOIN policy AS p ON p.scenario = wanted.scenario
  CROSS JOIN LATERAL (SELECT p.manifest::jsonb -> wanted.kind AS text) AS said
 WHERE sha256(convert_to((said.text ->> 'version') || E'\n' || (said.text ->> 'zh'), 'UTF8'))
     = wanted.text_sha256
 ORDER BY wanted.kind, wanted.scenario, wanted.text_sha256, p.num DESC

-- name: rules
SELECT num, scenario, revision, manifest, compiler FROM policy WHERE num = ANY ($1::integer[])
