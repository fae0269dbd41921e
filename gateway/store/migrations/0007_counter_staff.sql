-- Staff of parties who work at a counter: accounts of their own, each with a second factor, and
-- what they asked. A citizen reads the name beside the question.

CREATE TABLE counter_staff (
  id           uuid PRIMARY KEY,
  party        integer NOT NULL REFERENCES party,
  login        text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9.-]{2,63}$'),
  name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  status       text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
  password     text,                             -- Argon2id; NULL = has to enrol
  wrapped_key  bytea,                            -- the account's own key under the city's
  totp         bytea,                            -- the one-time password's secret, sealed under it
  totp_step    bigint NOT NULL DEFAULT 0,        -- the last step that was used: a code is good once
  failures     integer NOT NULL DEFAULT 0,       -- second factors that were wrong, one after another
  locked_until timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((password IS NULL) = (totp IS NULL) AND (totp IS NULL) = (wrapped_key IS NULL))
);
CREATE INDEX counter_staff_party ON counter_staff (party);

-- A link that an operator hands over: whoever opens it chooses the account's password and second
-- factor, once.
CREATE TABLE counter_enrolment (
  token_hash bytea PRIMARY KEY,                  -- SHA-256 of the link's token
  staff      uuid NOT NULL REFERENCES counter_staff,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX counter_enrolment_staff ON counter_enrolment (staff);
CREATE INDEX counter_enrolment_expires ON counter_enrolment (expires_at);

CREATE TABLE counter_session (
  id_hash    bytea PRIMARY KEY,                  -- SHA-256 of the cookie
  staff      uuid NOT NULL REFERENCES counter_staff,
  desk       text,                               -- where the person works today
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,               -- whatever happens
  idle_until timestamptz NOT NULL,               -- unless something happens
  ended_at   timestamptz
);
CREATE INDEX counter_session_staff ON counter_session (staff) WHERE ended_at IS NULL;
CREATE INDEX counter_session_expires ON counter_session (expires_at);

GRANT SELECT ON counter_staff, counter_enrolment, counter_session TO qianjiang_gateway;
GRANT UPDATE (password, wrapped_key, totp, totp_step, failures, locked_until) ON counter_staff
  TO qianjiang_gateway;
GRANT UPDATE (used_at) ON counter_enrolment TO qianjiang_gateway;
GRANT INSERT, DELETE, UPDATE (desk, idle_until, ended_at) ON counter_session TO qianjiang_gateway;
GRANT DELETE ON counter_enrolment TO qianjiang_gateway;
