-- name: add
INSERT INTO assisted_act (id, citizen, party, staff, staff_name, place, scenario, purpose, act,
  target, target_version, text_version, text_sha256, document, receipt_no, receipt_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: promise
SELECT promise FROM legal_entity WHERE id = $1

-- name: score_word
-- The citizen's newest word on the score, where it was given at a counter of this party.
SELECT true FROM assisted_act AS a
 WHERE a.citizen = $1 AND a.party = $2 AND a.act = 'score_authorisation'
   AND (a.target_version, 'given') = (SELECT version, status FROM score_authorisation
                                       WHERE citizen = $1 ORDER BY version DESC LIMIT 1)

-- name: name_rates
INSERT INTO assisted_rate (name, full_at_us) SELECT name, 0 FROM unnest($1::text[]) AS name
 ORDER BY name ON CONFLICT (name) DO NOTHING

-- name: lock_rates
SELECT name, full_at_us, clock_us() AS now_us FROM assisted_rate
 WHERE name = ANY ($1::text[]) ORDER BY name FOR UPDATE

-- name: put_rates
UPDATE assisted_rate AS r SET full_at_us = given.full_at_us
  FROM unnest($1::text[], $2::bigint[]) AS given (name, full_at_us)
 WHERE r.name = given.name

-- name: give_back
UPDATE assisted_rate AS r SET full_at_us = r.full_at_us - given.interval_us
  FROM unnest($1::text[], $2::bigint[]) AS given (name, interval_us)
 WHERE r.name = given.name
