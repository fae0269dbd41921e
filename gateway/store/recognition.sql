-- name: end_former
UPDATE recognition SET ended_at = clock_timestamp(), reason = 'replaced'
 WHERE citizen = $1 AND city = $2 AND ended_at IS NULL

-- name: end_one
UPDATE recognition SET ended_at = clock_timestamp(), reason = $2
 WHERE id = $1 AND ended_at IS NULL

-- name: add
INSERT INTO recognition (id, citizen, party, city, consent, scenarios, scheme, scheme_version, tier,
  band_floor, reserved_fen, status_list, status_idx, until_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, from_us($14))

-- name: reserved
-- What of the own deposit cap is kept for other cities: for each the most that any living one keeps.
SELECT city, max(reserved_fen) AS fen FROM recognition
 WHERE citizen = $1 AND ended_at IS NULL GROUP BY city

-- name: forget
SELECT recognitions_forget($1)

-- name: of_citizen
SELECT r.id, r.city, p.name AS party_name, r.scenarios, r.consent, r.reserved_fen,
       r.issued_on AS since, to_us(r.until_at) AS until_us,
       to_us(r.ended_at) AS ended_us, r.reason, r.until_at <= clock_timestamp() AS over
  FROM recognition AS r JOIN party AS p ON p.num = r.party
 WHERE r.citizen = $1
 ORDER BY r.ended_at IS NULL DESC, r.number DESC LIMIT $2
