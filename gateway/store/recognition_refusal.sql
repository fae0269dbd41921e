-- name: count
-- In one order, or two workers could wait for each other.
INSERT INTO recognition_refusal (minute, place, city, reason, times)
SELECT date_trunc('minute', clock_timestamp()), place, city, reason, times
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
    AS counted (place, city, reason, times)
 ORDER BY place, city, reason
ON CONFLICT (minute, place, city, reason)
DO UPDATE SET times = recognition_refusal.times + excluded.times
