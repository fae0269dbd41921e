-- name: begin
INSERT INTO counter_session (id_hash, staff, desk, expires_at, idle_until)
VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::double precision),
        clock_timestamp() + make_interval(secs => $5::double precision))

-- name: clerk
-- A session ends with its account, and with its party: one that is suspended meanwhile does not
-- get its sessions back, as it does not its tokens.
SELECT c.staff, s.login, s.name, s.party, c.desk, to_us(c.created_at) AS since_us,
       to_us(c.expires_at) AS expires_us,
       extract(epoch FROM c.idle_until - clock_timestamp())::double precision AS idle_s
  FROM counter_session AS c JOIN counter_staff AS s ON s.id = c.staff
  JOIN party AS p ON p.num = s.party
 WHERE c.id_hash = $1 AND c.ended_at IS NULL
   AND least(c.expires_at, c.idle_until) > clock_timestamp()
   AND s.status = 'active' AND p.status = 'active' AND c.created_at >= p.tokens_not_before

-- name: touch
UPDATE counter_session SET idle_until = clock_timestamp()
  + make_interval(secs => $2::double precision) WHERE id_hash = $1 AND ended_at IS NULL

-- name: sit_at
UPDATE counter_session SET desk = $2 WHERE id_hash = $1 AND ended_at IS NULL

-- name: end
UPDATE counter_session SET ended_at = clock_timestamp() WHERE id_hash = $1 AND ended_at IS NULL
