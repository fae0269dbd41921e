-- Credit codes (信用码), and the desks at which parties meet citizens.

-- A place where a party meets citizens: a counter, a shop's door, an unattended bike or locker. With
-- a scenario it has a code of its own that citizens scan; a counter without one types or scans
-- theirs, for any scenario of its party. The number is public and short, for people to type; it is
-- never used again.
CREATE TABLE desk (
  number     text PRIMARY KEY CHECK (number ~ '^[0-9]{6}$'),
  party      integer NOT NULL REFERENCES party,
  kind       text NOT NULL CHECK (kind IN ('counter', 'device')),
  scenario   text,
  purpose    text,
  place      text NOT NULL CHECK (length(place) BETWEEN 1 AND 100),   -- shown to citizens
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at  timestamptz,
  CHECK (kind = 'counter' OR scenario IS NOT NULL),
  CHECK ((scenario IS NULL) = (purpose IS NULL))
);
CREATE INDEX desk_party ON desk (party);

-- A citizen's code, under a keyed hash: neither a reader of the database nor of a backup can show
-- it. It works once, until its end, while the session lasts that it was made in, and with a desk at
-- that desk only.
CREATE TABLE credit_code (
  code_hash  bytea PRIMARY KEY CHECK (length(code_hash) = 32),
  citizen    uuid NOT NULL,
  session    bytea NOT NULL,
  desk       text REFERENCES desk,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  used_by    integer,
  CHECK ((used_at IS NULL) = (used_by IS NULL))
);
CREATE INDEX credit_code_citizen ON credit_code (citizen, created_at DESC);
CREATE INDEX credit_code_expires ON credit_code (expires_at);

-- Wrong guesses of what people type: the instant (µs) at which a name may err as often as ever
-- (gateway/gcra.py). Kept here and not in the cache, whose loss must not give anybody new tries.
CREATE TABLE miss (
  name       text PRIMARY KEY,
  full_at_us bigint NOT NULL
);
CREATE INDEX miss_full ON miss (full_at_us);

-- At which desk a citizen was asked in person, where it was at one.
ALTER TABLE consent_request ADD COLUMN desk text REFERENCES desk;

GRANT SELECT ON desk, credit_code, miss TO qianjiang_gateway;
GRANT INSERT, DELETE ON credit_code, miss TO qianjiang_gateway;
GRANT UPDATE (used_at, used_by) ON credit_code TO qianjiang_gateway;
GRANT UPDATE (full_at_us) ON miss TO qianjiang_gateway;
