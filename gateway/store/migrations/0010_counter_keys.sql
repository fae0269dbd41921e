-- Security keys (WebAuthn) of counter staff: a second factor beside the one-time codes, where the
-- gateway's address has a name.
CREATE TABLE counter_key (
  id            uuid PRIMARY KEY,
  staff         uuid NOT NULL REFERENCES counter_staff,
  credential    bytea NOT NULL UNIQUE CHECK (length(credential) BETWEEN 1 AND 1023),
  public_key    bytea NOT NULL,                  -- COSE (RFC 9052), as the authenticator gave it
  sign_count    bigint NOT NULL,
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  added_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The last challenge that was answered, by its instant (µs): an older one is not answered again.
  challenged_us bigint NOT NULL DEFAULT 0,
  removed_at    timestamptz
);
CREATE INDEX counter_key_staff ON counter_key (staff) WHERE removed_at IS NULL;

GRANT SELECT, INSERT, UPDATE (sign_count, challenged_us, removed_at) ON counter_key
  TO qianjiang_gateway;
