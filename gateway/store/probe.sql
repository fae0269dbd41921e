-- name: asked_about
-- The citizens asked about between two instants.
SELECT DISTINCT citizen FROM decision
 WHERE id >= uuid7_floor(from_us($1)) AND id < uuid7_floor(from_us($2))

-- name: probing
-- Which recipients asked more than so many different questions (facts) about one of these citizens
-- in one scenario today, and are not marked yet. Of one citizen the newest so many questions are
-- looked at, so that a party that floods one with questions cannot keep this from ending for all.
SELECT DISTINCT c.id AS citizen, e.sector
  FROM citizen AS c
 CROSS JOIN LATERAL (
   SELECT party, policy, facts_hash FROM decision
    WHERE citizen = c.id AND id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))
    ORDER BY id DESC LIMIT $3) AS d
  JOIN policy AS o ON o.num = d.policy
  JOIN party_scenario AS s ON s.party = d.party AND s.scenario = o.scenario
  JOIN legal_entity AS e ON e.id = s.recipient
 WHERE c.id = ANY ($1::uuid[])
   AND NOT EXISTS (SELECT FROM probe_mark AS m WHERE m.citizen = c.id
                      AND m.sector = e.sector AND m.until_at > clock_timestamp())
 GROUP BY c.id, e.sector, o.scenario
HAVING count(DISTINCT d.facts_hash) > $2

-- name: mark
INSERT INTO probe_mark (citizen, sector, until_at)
VALUES ($1, $2, date_trunc('day', clock_timestamp(), 'Asia/Shanghai') + interval '1 day')
ON CONFLICT (citizen, sector) DO UPDATE SET until_at = excluded.until_at
