-- name: live
SELECT num, scenario, revision FROM policy WHERE live

-- name: publish
INSERT INTO policy (scenario, revision, manifest) VALUES ($1, $2, $3)
ON CONFLICT (scenario, revision) DO UPDATE SET live = true, retired_at = NULL
RETURNING num

-- name: retire_others
UPDATE policy SET live = false, retired_at = clock_timestamp()
 WHERE scenario = $1 AND revision <> $2 AND live

-- name: score_as_of
SELECT as_of FROM publish_run ORDER BY id DESC LIMIT 1

-- name: claim_realm
INSERT INTO realm (city) VALUES ($1) ON CONFLICT DO NOTHING

-- name: realm_city
SELECT city FROM realm
