-- name: live
SELECT num, scenario, revision FROM policy WHERE live

-- name: publish
INSERT INTO policy (scenario, revision, manifest, compiler) VALUES ($1, $2, $3, $4)
ON CONFLICT (scenario, revision) DO UPDATE SET live = true, retired_at = NULL
RETURNING num

-- name: retire_others
UPDATE policy SET live = false, retired_at = clock_timestamp()
 WHERE scenario = $1 AND revision <> $2 AND live

-- name: commitment_texts
-- The hash covers the version and the Chinese words (scenarios/manifest.py); where several
-- manifests have them, the newest one's translation.
SELECT DISTINCT ON (wanted.scenario, wanted.template, wanted.version, wanted.text_sha256)
  (wanted.scenario, wanted.template, wanted.version, wanted.text_sha256) AS key,
  said.text ->> 'zh' AS zh, said.text ->> 'en' AS en
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    AS wanted (scenario, template, version, text_sha256)
  JOIN policy AS p ON p.scenario = wanted.scenario
  CROSS JOIN LATERAL (SELECT p.manifest::jsonb -> 'commitment' AS text) AS said
 WHERE said.text ->> 'template' = wanted.template AND said.text ->> 'version' = wanted.version
   AND sha256(convert_to(wanted.version || E'\n' || (said.text ->> 'zh'), 'UTF8'))
     = wanted.text_sha256
 ORDER BY wanted.scenario, wanted.template, wanted.version, wanted.text_sha256, p.num DESC

-- name: score_as_of
SELECT as_of FROM publish_run ORDER BY id DESC LIMIT 1

-- name: claim_realm
INSERT INTO realm (city) VALUES ($1) ON CONFLICT DO NOTHING

-- name: realm_city
SELECT city FROM realm
