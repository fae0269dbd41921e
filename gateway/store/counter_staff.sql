-- name: add
INSERT INTO counter_staff (id, party, login, name) VALUES ($1, $2, $3, $4)

-- name: everyone
SELECT s.login, s.name, p.id AS party, s.status, s.password IS NOT NULL AS enrolled
  FROM counter_staff AS s JOIN party AS p ON p.num = s.party
 WHERE $1::text IS NULL OR p.id = $1
 ORDER BY p.id, s.login

-- name: find
-- The row is locked: acts of operators on one account follow one another.
SELECT id, status FROM counter_staff WHERE login = $1 FOR UPDATE

-- name: set_status
UPDATE counter_staff SET status = $2 WHERE id = $1

-- name: forget_secrets
UPDATE counter_staff
   SET password = NULL, wrapped_key = NULL, totp = NULL, failures = 0, locked_until = NULL
 WHERE id = $1

-- name: end_sessions
UPDATE counter_session SET ended_at = clock_timestamp() WHERE staff = $1 AND ended_at IS NULL

-- name: end_keys
UPDATE counter_key SET removed_at = clock_timestamp() WHERE staff = $1 AND removed_at IS NULL

-- name: end_enrolments
UPDATE counter_enrolment SET used_at = clock_timestamp() WHERE staff = $1 AND used_at IS NULL

-- name: invite
INSERT INTO counter_enrolment (token_hash, staff, expires_at)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::double precision))

-- name: invited
SELECT s.id, s.login, s.name, p.name AS party
  FROM counter_enrolment AS e JOIN counter_staff AS s ON s.id = e.staff
  JOIN party AS p ON p.num = s.party
 WHERE e.token_hash = $1 AND e.used_at IS NULL AND e.expires_at > clock_timestamp()
   AND s.status = 'active' AND p.status = 'active'

-- name: use_invitation
UPDATE counter_enrolment SET used_at = clock_timestamp()
 WHERE token_hash = $1 AND staff = $2 AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING staff

-- name: enrol
UPDATE counter_staff
   SET password = $2, wrapped_key = $3, totp = $4, totp_step = $5, failures = 0, locked_until = NULL
 WHERE id = $1 AND status = 'active'
RETURNING id

-- name: password
SELECT s.id, s.password FROM counter_staff AS s JOIN party AS p ON p.num = s.party
 WHERE s.login = $1 AND s.status = 'active' AND p.status = 'active'

-- name: second
-- The row is locked, so that guesses of one account's code come one after another.
SELECT s.id, s.login, s.password, s.wrapped_key, s.totp, s.totp_step,
       greatest(0, ceil(extract(epoch FROM s.locked_until - clock_timestamp())))::integer AS locked_s
  FROM counter_staff AS s JOIN party AS p ON p.num = s.party
 WHERE s.id = $1 AND s.status = 'active' AND p.status = 'active'
   FOR UPDATE OF s

-- name: use_step
UPDATE counter_staff SET totp_step = $2 WHERE id = $1

-- name: passed
UPDATE counter_staff SET failures = 0, locked_until = NULL WHERE id = $1

-- name: failed
-- From so many failures on, each one locks for twice as long as the last, up to a bound.
UPDATE counter_staff
   SET failures = failures + 1,
       locked_until = CASE WHEN failures + 1 >= $2::integer THEN clock_timestamp()
         + make_interval(secs => least($4::double precision,
             $3::double precision * 2 ^ least(20, failures + 1 - $2::integer))) END
 WHERE id = $1
