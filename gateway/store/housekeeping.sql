-- Each statement forgets at most a bounded number of rows whose period is over, oldest first, so
-- that none holds many locks or runs into its timeout; the job comes back while there is more.

-- name: idempotency
DELETE FROM idempotency WHERE (principal, key) IN (
  SELECT principal, key FROM idempotency WHERE at < now() - interval '24 hours'
   ORDER BY at LIMIT $1)

-- name: decision_requests
DELETE FROM decision_request WHERE (party, request_id) IN (
  SELECT party, request_id FROM decision_request WHERE at < now() - interval '24 hours'
   ORDER BY at LIMIT $1)

-- name: assertions
DELETE FROM assertion_used WHERE (issuer, jti) IN (
  SELECT issuer, jti FROM assertion_used WHERE expires < now() - interval '1 minute'
   ORDER BY expires LIMIT $1)

-- name: proofs
DELETE FROM dpop_used WHERE proof IN (
  SELECT proof FROM dpop_used WHERE expires < now() - interval '1 minute'
   ORDER BY expires LIMIT $1)

-- name: sessions
DELETE FROM session WHERE id_hash IN (
  SELECT id_hash FROM session WHERE expires_at < now() - interval '24 hours'
   ORDER BY expires_at LIMIT $1)

-- name: visitor_sessions
-- A visitor's last a day less: the home city knows to the second when such a session began.
DELETE FROM session WHERE id_hash IN (
  SELECT s.id_hash FROM session AS s JOIN visitor AS v ON v.citizen = s.citizen
   WHERE s.expires_at BETWEEN now() - interval '1 hour' AND now() LIMIT $1)

-- name: counter_sessions
DELETE FROM counter_session WHERE id_hash IN (
  SELECT id_hash FROM counter_session WHERE expires_at < now() - interval '24 hours'
   ORDER BY expires_at LIMIT $1)

-- name: counter_enrolments
DELETE FROM counter_enrolment WHERE token_hash IN (
  SELECT token_hash FROM counter_enrolment WHERE expires_at < now() - interval '24 hours'
   ORDER BY expires_at LIMIT $1)

-- name: nonces
DELETE FROM commitment_nonce WHERE nonce_hash IN (
  SELECT nonce_hash FROM commitment_nonce WHERE expires_at < now() - interval '24 hours'
   ORDER BY expires_at LIMIT $1)

-- name: uses
DELETE FROM consent_use WHERE (consent, day) IN (
  SELECT consent, day FROM consent_use WHERE day < current_date - 2 ORDER BY day LIMIT $1)

-- name: messages
DELETE FROM webhook_message WHERE id IN (
  SELECT id FROM webhook_message
   WHERE created_at < now() - interval '30 days'
     AND (delivered_at IS NOT NULL OR given_up_at IS NOT NULL)
   ORDER BY created_at LIMIT $1)

-- name: marks
DELETE FROM probe_mark WHERE (citizen, sector) IN (
  SELECT citizen, sector FROM probe_mark WHERE until_at < now() - interval '24 hours'
   LIMIT $1)

-- name: credit_codes
-- A used code is kept for a while: its citizen sees who scanned it.
DELETE FROM credit_code WHERE code_hash IN (
  SELECT code_hash FROM credit_code WHERE expires_at < now() - interval '15 minutes'
   ORDER BY expires_at LIMIT $1)

-- name: visit_attempts
DELETE FROM visit_attempt WHERE id_hash IN (
  SELECT id_hash FROM visit_attempt WHERE expires_at < now() - interval '1 minute'
   ORDER BY expires_at LIMIT $1)

-- name: visit_tokens
DELETE FROM visit_token WHERE token_hash IN (
  SELECT token_hash FROM visit_token WHERE expires_at < now() - interval '1 minute'
   ORDER BY expires_at LIMIT $1)

-- name: visits
-- Its grant ended within a minute, and nothing reads a visit that is over but its visitor.
-- Of the last one the day stays, by which it is seen who never comes again.
WITH gone AS (
  DELETE FROM visit WHERE id IN (
    SELECT id FROM visit WHERE ended_on < today() - 30 ORDER BY ended_on LIMIT $1)
  RETURNING citizen, ended_on),
noted AS (
  UPDATE visitor AS v SET left_on = greatest(v.left_on, last.ended_on)
    FROM (SELECT citizen, max(ended_on) AS ended_on FROM gone GROUP BY citizen) AS last
   WHERE v.citizen = last.citizen)
SELECT FROM gone

-- name: refusals
DELETE FROM recognition_refusal WHERE (minute, place, city, reason) IN (
  SELECT minute, place, city, reason FROM recognition_refusal
   WHERE minute < now() - interval '30 days' ORDER BY minute LIMIT $1)

-- name: misses
-- Said twice, so that a name that errs again in this very moment keeps its number.
DELETE FROM miss WHERE full_at_us < to_us(now() - interval '1 minute') AND name IN (
  SELECT name FROM miss WHERE full_at_us < to_us(now() - interval '1 minute')
   ORDER BY full_at_us LIMIT $1)

-- name: citizen_limits
DELETE FROM citizen_limit WHERE (citizen, what) IN (
  SELECT citizen, what FROM citizen_limit WHERE full_at < now() - interval '24 hours'
   ORDER BY full_at LIMIT $1)

-- name: recognition_requests
-- A code that comes again within the day still makes void what came of it. Those for which nobody
-- signed in another city can make by the thousand each second, and they serve nothing.
DELETE FROM recognition_request WHERE id IN (
  SELECT id FROM recognition_request
   WHERE expires_at < now() - interval '1 minute'
     AND (citizen IS NULL OR expires_at < now() - interval '24 hours')
   ORDER BY expires_at LIMIT $1)

-- name: month_ahead
-- Whether the partitions of a day 28 days from now exist; `qianjiang migrate` makes them.
SELECT to_regclass(
  'decision_' || to_char((now() + interval '28 days') AT TIME ZONE 'UTC', 'YYYYMM'))
  IS NOT NULL
