-- name: hold
INSERT INTO citizen_limit (citizen, what, full_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (citizen, what) DO NOTHING

-- name: held
SELECT to_us(full_at) AS full_at_us, clock_us() AS now_us
  FROM citizen_limit WHERE citizen = $1 AND what = $2 FOR UPDATE

-- name: put
UPDATE citizen_limit SET full_at = from_us($3) WHERE citizen = $1 AND what = $2
