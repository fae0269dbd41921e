-- name: living
-- What stands of these citizens towards other cities, with the sector of the consent it rests on.
SELECT r.id, r.citizen, r.consent, r.city, r.band_floor, r.reserved_fen,
  r.number, to_us(r.until_at) AS until_us, e.sector, clock_us() AS now_us
  FROM recognition AS r
  LEFT JOIN legal_entity AS e ON e.id =
    (SELECT recipient FROM consent WHERE id = r.consent ORDER BY version DESC LIMIT 1)
 WHERE r.citizen = ANY ($1::uuid[]) AND r.ended_at IS NULL

-- name: end
UPDATE recognition AS r SET ended_at = clock_timestamp(), reason = given.reason
  FROM unnest($1::uuid[], $2::text[]) AS given (id, reason)
 WHERE r.id = given.id AND r.ended_at IS NULL

-- name: over
-- Citizens of whom something still stands although its time has run out.
SELECT DISTINCT citizen FROM (
  SELECT citizen FROM recognition WHERE ended_at IS NULL AND until_at <= clock_timestamp()
   ORDER BY until_at LIMIT $1) AS due
