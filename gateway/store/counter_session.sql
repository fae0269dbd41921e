-- name: begin
-- Without a desk it is the party's only counter, if there is just one.
INSERT INTO counter_session (id_hash, staff, desk, expires_at, idle_until)
SELECT $1, s.id, coalesce($3::text,
         (SELECT CASE WHEN count(*) = 1 THEN min(d.number) END FROM desk AS d
           WHERE d.party = s.party AND d.kind = 'counter' AND d.closed_at IS NULL)),
       clock_timestamp() + make_interval(secs => $4::double precision),
       clock_timestamp() + make_interval(secs => $5::double precision)
  FROM counter_staff AS s WHERE s.id = $2

-- name: clerk
-- A session ends with its account, and with its party: one that is suspended meanwhile does not
-- get its sessions back, as it does not its tokens.
SELECT c.staff, s.login, s.name, s.party, d.number AS desk, d.place, to_us(c.created_at) AS since_us,
       to_us(c.expires_at) AS expires_us,
       extract(epoch FROM c.idle_until - clock_timestamp())::double precision AS idle_s
  FROM counter_session AS c JOIN counter_staff AS s ON s.id = c.staff
  JOIN party AS p ON p.num = s.party
  LEFT JOIN desk AS d ON d.number = c.desk AND d.closed_at IS NULL
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
