-- The two roles of a city's database. They belong to the whole server, so the database's
-- administrator makes them once, before the first migration:
--
--   psql -f roles.sql, then \password qianjiang_owner, \password qianjiang_gateway
--   CREATE DATABASE qianjiang OWNER qianjiang_owner ENCODING 'UTF8' TEMPLATE template0;
--
-- `qianjiang migrate` then runs as the owner, `qianjiang serve` as the gateway.
CREATE ROLE qianjiang_owner LOGIN;
CREATE ROLE qianjiang_gateway LOGIN;

-- No request waits longer on the database than a caller waits on the gateway. The gateway's own
-- sessions ask for the same values.
ALTER ROLE qianjiang_gateway SET statement_timeout = '1s';
ALTER ROLE qianjiang_gateway SET lock_timeout = '200ms';
ALTER ROLE qianjiang_gateway SET idle_in_transaction_session_timeout = '2s';
ALTER ROLE qianjiang_gateway SET transaction_timeout = '5s';

-- The commit's check needs a fresh snapshot for each statement; a stricter level would keep an
-- older one and answer from a withdrawn consent.
ALTER ROLE qianjiang_gateway SET default_transaction_isolation = 'read committed';
ALTER ROLE qianjiang_gateway SET synchronous_commit = 'on';
