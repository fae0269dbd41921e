-- name: probing
-- Of the citizens asked about between two instants: which recipients asked more than so many
-- different questions (facts) about one of them in one scenario today, and are not marked yet.
WITH recent AS MATERIALIZED (
  SELECT DISTINCT d.citizen FROM decision AS d
   WHERE d.id >= uuid7_floor(from_us($1)) AND d.id < uuid7_floor(from_us($2))
)
SELECT DISTINCT d.citizen, e.sector
  FROM recent
  JOIN citizen AS c ON c.id = recent.citizen
  JOIN decision AS d ON d.citizen = recent.citizen
   AND d.id >= uuid7_floor(date_trunc('day', now(), 'Asia/Shanghai'))
  JOIN policy AS o ON o.num = d.policy
  JOIN party_scenario AS s ON s.party = d.party AND s.scenario = o.scenario
  JOIN legal_entity AS e ON e.id = s.recipient
 WHERE NOT EXISTS (SELECT FROM probe_mark AS m WHERE m.citizen = d.citizen
                      AND m.sector = e.sector AND m.until_at > clock_timestamp())
 GROUP BY d.citizen, e.sector, o.scenario
HAVING count(DISTINCT d.facts_hash) > $3

-- name: mark
INSERT INTO probe_mark (citizen, sector, until_at)
VALUES ($1, $2, date_trunc('day', clock_timestamp(), 'Asia/Shanghai') + interval '1 day')
ON CONFLICT (citizen, sector) DO UPDATE SET until_at = excluded.until_at
