-- name: asked_about
-- The citizens asked about between two instants.
SELECT citizen FROM decision
 WHERE id >= uuid7_floor(from_us($1)) AND id < uuid7_floor(from_us($2))
UNION
SELECT citizen FROM search
 WHERE id >= uuid7_floor(from_us($1)) AND id < uuid7_floor(from_us($2))

-- name: probing
-- Which recipients asked more than so many different questions (facts) about one of these citizens
-- in one scenario today, and are not marked yet. A search tries its facts on every scenario, so it
-- is a different question in each of them. Of one citizen the newest so many questions, and as many
-- searches, are looked at, so that a party that floods one with them cannot keep this from ending
-- for all.
WITH tried AS (
  SELECT c.id AS citizen, e.sector, o.scenario, count(DISTINCT d.facts_hash) AS different
    FROM citizen AS c
   CROSS JOIN LATERAL (
     SELECT party, policy, facts_hash FROM decision
      WHERE citizen = c.id AND id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))
      ORDER BY id DESC LIMIT $3) AS d
    JOIN policy AS o ON o.num = d.policy
    JOIN party_scenario AS s ON s.party = d.party AND s.scenario = o.scenario
    JOIN legal_entity AS e ON e.id = s.recipient
   WHERE c.id = ANY ($1::uuid[])
   GROUP BY c.id, e.sector, o.scenario
), searched AS (
  SELECT c.id AS citizen, d.sector, count(DISTINCT d.facts_hash) AS different
    FROM citizen AS c
   CROSS JOIN LATERAL (
     SELECT sector, facts_hash FROM search
      WHERE citizen = c.id AND id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))
      ORDER BY id DESC LIMIT $3) AS d
   WHERE c.id = ANY ($1::uuid[])
   GROUP BY c.id, d.sector
)
SELECT citizen, sector
  FROM (SELECT citizen, sector, max(different) AS different FROM tried GROUP BY citizen, sector) AS t
  FULL JOIN searched AS s USING (citizen, sector)
 WHERE coalesce(t.different, 0) + coalesce(s.different, 0) > $2
   AND NOT EXISTS (SELECT FROM probe_mark AS m WHERE m.citizen = coalesce(t.citizen, s.citizen)
                      AND m.sector = coalesce(t.sector, s.sector) AND m.until_at > clock_timestamp())

-- name: mark
INSERT INTO probe_mark (citizen, sector, until_at)
VALUES ($1, $2, date_trunc('day', clock_timestamp(), 'Asia/Shanghai') + interval '1 day')
ON CONFLICT (citizen, sector) DO UPDATE SET until_at = excluded.until_at
