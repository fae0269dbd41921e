-- name: count
INSERT INTO recognition_refusal (minute, place, city, reason, times)
VALUES (date_trunc('minute', clock_timestamp()), $1, $2, $3, $4)
ON CONFLICT (minute, place, city, reason)
DO UPDATE SET times = recognition_refusal.times + excluded.times
