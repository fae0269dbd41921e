-- name: load
SELECT citizen, version, body FROM standing WHERE citizen = ANY ($1::uuid[])

-- name: lock
SELECT standing_lock_living($1::uuid[])

-- name: next_versions
SELECT nextval('standing_version') FROM generate_series(1, $1::integer)

-- name: put
SELECT standing_put($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::smallint[])

-- name: generation
SELECT (realm.generation # system.system_identifier # (checkpoint.timeline_id::bigint << 40)) AS generation
  FROM realm, pg_control_system() AS system, pg_control_checkpoint() AS checkpoint

-- name: word_is_fresh
SELECT clock_timestamp() < fresh_until FROM issuer WHERE num = $1

-- name: changes
SELECT seq, citizen FROM standing_change ORDER BY seq LIMIT $1::integer

-- name: changes_done
DELETE FROM standing_change WHERE seq = ANY ($1::bigint[])

-- name: sources
-- One statement, one snapshot: what the body of each citizen is made of.
SELECT c.id,
  CASE WHEN c.erased_at IS NULL THEN c.wrapped_key END AS key,
  -- No authorisation, no band: the score of one who withdrew it is not used.
  (SELECT s.band FROM score AS s WHERE s.citizen = c.id AND 'given' =
     (SELECT a.status FROM score_authorisation AS a WHERE a.citizen = c.id
       ORDER BY a.version DESC LIMIT 1)) AS band,
  (SELECT coalesce(sum(deposit_fen), 0)::bigint FROM waiver
    WHERE citizen = c.id AND settled_at IS NULL) AS waived_fen,
  (SELECT coalesce(sum(amount_fen), 0)::bigint FROM medical_advance
    WHERE citizen = c.id AND settled_at IS NULL) AS medical_used_fen,
  ARRAY(SELECT row(n.id, n.version, e.sector, n.scenario, to_us(n.from_at), to_us(n.to_at),
                   CASE WHEN n.status <> 'paused' THEN 0
                        WHEN n.paused_until IS NULL THEN 253402300799000000
                        ELSE to_us(n.paused_until) END,
                   coalesce(n.frequency, 0))
          FROM (SELECT DISTINCT ON (id) * FROM consent WHERE citizen = c.id
                 ORDER BY id, version DESC) AS n
          JOIN legal_entity AS e ON e.id = n.recipient
         WHERE n.status IN ('active', 'paused') AND n.to_at > clock_timestamp()
         ORDER BY n.id) AS consents,
  ARRAY(SELECT row(m.scenario, coalesce(e.sector, 0), to_us(m.signed_at))
          FROM (SELECT DISTINCT ON (id) * FROM commitment WHERE citizen = c.id
                 ORDER BY id, version DESC) AS m
          LEFT JOIN legal_entity AS e ON e.id = m.entity
         WHERE m.status = 'signed'
         ORDER BY m.id) AS commitments,
  ARRAY(SELECT row(scenario, to_us(from_at)) FROM suspension
         WHERE citizen = c.id AND lifted_at IS NULL ORDER BY id) AS suspensions,
  ARRAY(SELECT coalesce(scenario, '') FROM objection
         WHERE citizen = c.id AND closed_at IS NULL ORDER BY id) AS objections,
  ARRAY(SELECT row(sector, to_us(until_at)) FROM probe_mark
         WHERE citizen = c.id AND until_at > clock_timestamp() ORDER BY sector) AS probes,
  ARRAY(SELECT row(items, to_us(due_at)) FROM loan
         WHERE citizen = c.id AND returned_at IS NULL ORDER BY id) AS loans,
  ARRAY(SELECT row(community, sum(points)::bigint, coalesce(to_us(expires_at), 253402300799000000))
          FROM points_entry
         WHERE citizen = c.id AND (expires_at IS NULL OR expires_at > clock_timestamp())
         GROUP BY community, expires_at ORDER BY community, expires_at) AS points,
  ARRAY(SELECT row(community, to_us(from_at), coalesce(to_us(to_at), 253402300799000000))
          FROM residency
         WHERE citizen = c.id AND (to_at IS NULL OR to_at > clock_timestamp())
         ORDER BY community, from_at) AS residency,
  ARRAY(SELECT row(e.sector, k.card) FROM library_card AS k
          JOIN legal_entity AS e ON e.id = k.entity
         WHERE k.citizen = c.id ORDER BY e.sector, k.card) AS cards,
  -- What was kept for other cities: of several grants to one city the largest, and cities add up.
  (SELECT coalesce(sum(kept.fen), 0)::bigint
     FROM (SELECT max(reserved_fen) AS fen FROM recognition
            WHERE citizen = c.id AND ended_at IS NULL GROUP BY city) AS kept) AS reserved_fen,
  w.issuer, v.band AS visit_band, v.scenarios AS visit_scenarios, v.limit_fen AS visit_limit
  FROM citizen AS c
  LEFT JOIN visitor AS w ON w.citizen = c.id
  -- The newest living recognition is the one in force.
  LEFT JOIN LATERAL (SELECT band, scenarios, limit_fen FROM visit
                      WHERE citizen = w.citizen AND ended_on IS NULL
                      ORDER BY number DESC LIMIT 1) AS v ON true
 WHERE c.id = ANY ($1::uuid[])
