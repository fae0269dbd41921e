-- name: add
INSERT INTO assisted_act (id, citizen, party, staff, staff_name, place, scenario, purpose, act,
  target, target_version, text_version, text_sha256, document, receipt_no, receipt_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- name: promise
SELECT promise FROM legal_entity WHERE id = $1

-- name: score_word
-- The citizen's newest word on the score, where it was given at a counter of this party. A yes
-- that the citizen's own withdrawal left without effect is taken back like any other, so that
-- trying to does not tell one from the other.
SELECT true FROM assisted_act AS a
 WHERE a.citizen = $1 AND a.party = $2 AND a.act = 'score_authorisation'
   AND a.target_version = (SELECT max(version) FROM score_authorisation WHERE citizen = $1)
