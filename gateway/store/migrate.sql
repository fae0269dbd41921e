-- name: ledger_exists
SELECT to_regclass('public.schema_migration') IS NOT NULL

-- name: applied
SELECT version, name, sha256 FROM schema_migration ORDER BY version

-- name: record
INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)

-- name: limits
-- Months are UTC's, whatever time zone the server has.
SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false),
       set_config('timezone', 'UTC', false)

-- name: lock
SELECT pg_advisory_lock($1)

-- name: unlock
SELECT pg_advisory_unlock($1)

-- name: role_exists
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)

-- name: password_statement
SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)

-- name: database_exists
SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)

-- name: database_statement
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE %I STRATEGY FILE_COPY',
              $1::text, $2::text, $3::text)

-- name: month
-- The partitions of the month that lies so many months ahead; how many were made.
SELECT decision_partitions(
  date_trunc('month', clock_timestamp(), 'UTC') + make_interval(months => $1), 1)

-- name: any_list
SELECT EXISTS (SELECT FROM status_list)

-- name: void_lists
UPDATE status_list SET void_at = clock_timestamp(), full_at = coalesce(full_at, clock_timestamp())
 WHERE void_at IS NULL

-- name: void_lists_ahead
-- Lists that were opened since the backup have the next numbers.
INSERT INTO status_list (size, full_at, void_at)
SELECT max(size), clock_timestamp(), clock_timestamp() FROM status_list, generate_series(1, $1::integer) AS n
 GROUP BY n

-- name: end_recognitions
-- The worker ends them, with the standings that they are part of.
UPDATE recognition SET until_at = least(until_at, clock_timestamp()) WHERE ended_at IS NULL

-- name: renew_generation
UPDATE realm SET generation = (random() * 9e18)::bigint
