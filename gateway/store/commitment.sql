-- name: draft
INSERT INTO commitment_nonce
  (nonce_hash, citizen, scenario, party, template, template_version, text_sha256, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, from_us($8))

-- name: use_nonce
UPDATE commitment_nonce SET used_at = clock_timestamp()
 WHERE nonce_hash = $1 AND citizen = $2 AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING scenario, party, template, template_version, text_sha256, to_us(expires_at) AS expires_us

-- name: newest
SELECT DISTINCT ON (m.id) m.id, m.version, m.citizen, m.scenario, m.entity, e.name AS entity_name,
  m.template, m.template_version, m.text_sha256, m.device, m.jws, m.assisted,
  a.staff_name AS staff, a.place, a.receipt_no, m.status,
  to_us(m.signed_at) AS signed_us, to_us(m.at) AS at_us
  FROM commitment AS m LEFT JOIN legal_entity AS e ON e.id = m.entity
  LEFT JOIN assisted_act AS a ON a.id = m.assisted
 WHERE m.citizen = $1 ORDER BY m.id, m.version DESC

-- name: version
SELECT m.id, m.version, m.citizen, m.scenario, m.entity, e.name AS entity_name,
  m.template, m.template_version, m.text_sha256, m.device, m.jws, m.assisted,
  a.staff_name AS staff, a.place, a.receipt_no, m.status,
  to_us(m.signed_at) AS signed_us, to_us(m.at) AS at_us
  FROM commitment AS m LEFT JOIN legal_entity AS e ON e.id = m.entity
  LEFT JOIN assisted_act AS a ON a.id = m.assisted
 WHERE m.citizen = $1 AND m.id = $2 AND m.version = coalesce($3, m.version)
 ORDER BY m.version DESC LIMIT 1

-- name: add
-- The instant of signing is the database's, not the device's: what a stolen key signs cannot be
-- dated back to before the theft.
INSERT INTO commitment (id, version, citizen, scenario, entity, template, template_version,
                        text_sha256, device, jws, assisted, status, signed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'signed', clock_timestamp())

-- name: withdraw
INSERT INTO commitment (id, version, citizen, scenario, entity, template, template_version,
                        text_sha256, device, jws, assisted, status, signed_at)
SELECT id, version + 1, citizen, scenario, entity, template, template_version, text_sha256, device,
       jws, assisted, 'withdrawn', signed_at
  FROM commitment WHERE citizen = $1 AND id = $2 AND version = $3

-- name: void
-- What a device signed since an instant, where it still stands, is void.
INSERT INTO commitment (id, version, citizen, scenario, entity, template, template_version,
                        text_sha256, device, jws, assisted, status, signed_at)
SELECT id, version + 1, citizen, scenario, entity, template, template_version, text_sha256, device,
       jws, assisted, 'void', signed_at
  FROM (SELECT DISTINCT ON (id) * FROM commitment WHERE citizen = $1 ORDER BY id, version DESC) AS m
 WHERE m.device = $2 AND m.status = 'signed' AND m.signed_at >= from_us($3)
