-- name: server
SELECT current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       pg_is_in_recovery() AS in_recovery,
       (date_part('epoch', clock_timestamp()) * 1000000)::bigint AS clock_us

-- name: has_realm
SELECT EXISTS (SELECT FROM realm)
