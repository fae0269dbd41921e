-- Cities recognise each other: whom this city trusts, what it said of its own citizens to other
-- cities, and who of theirs is here (docs/protocol/recognition.md).

-- ---------------------------------------------------------------- trust

-- The region's signed list of cities, as last fetched and found good. Its serial never falls.
CREATE TABLE trust_list (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  serial     bigint NOT NULL,
  content    bytea NOT NULL CHECK (length(content) = 32),  -- of what it says, apart from its times
  token      text NOT NULL,
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  fetched_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A published table of tiers and bands; a version never changes.
CREATE TABLE recognition_scheme (
  id           text NOT NULL CHECK (id ~ '^[a-z0-9-]{3,64}$'),
  version      integer NOT NULL CHECK (version > 0),
  valid_from   date NOT NULL,
  text         text NOT NULL,                   -- the TOML as published
  sha256       bytea NOT NULL CHECK (length(sha256) = 32),
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, version)
);

-- A city that vouches for visitors here. Every decision about one of its citizens requires, in the
-- statement that records it, that what this city last said of them is fresh.
CREATE TABLE issuer (
  num         smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code        text NOT NULL UNIQUE CHECK (code ~ '^[0-9]{6}$'),   -- GB/T 2260
  fresh_until timestamptz NOT NULL DEFAULT 'epoch'
);

-- ---------------------------------------------------------------- at home

-- Another city's request that a citizen be recognised there: pushed, opened once, decided,
-- exchanged (RFC 9126, RFC 6749 4.1, RFC 8693). Every secret is kept as its SHA-256.
CREATE TABLE recognition_request (
  id             uuid PRIMARY KEY,              -- 128 random bits: names it on the citizen's page
  uri_hash       bytea NOT NULL UNIQUE,
  party          integer NOT NULL REFERENCES party,
  redirect_uri   text NOT NULL,
  scenarios      text[] NOT NULL,               -- asked for; after `allowed`, allowed
  state          text NOT NULL,
  code_challenge text NOT NULL,
  jkt            text NOT NULL,                 -- thumbprint of the visitor's key
  status         text NOT NULL DEFAULT 'pushed'
                 CHECK (status IN ('pushed', 'opened', 'allowed', 'declined', 'redeemed',
                                   'exchanged', 'void')),
  citizen        uuid,
  consent        uuid,
  code_hash      bytea UNIQUE,
  code_until     timestamptz,
  token_hash     bytea UNIQUE,
  token_until    timestamptz,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  opened_at      timestamptz,
  expires_at     timestamptz NOT NULL
);
CREATE INDEX recognition_request_expires ON recognition_request (expires_at);
CREATE INDEX recognition_request_citizen ON recognition_request (citizen) WHERE citizen IS NOT NULL;

-- Lists of status bits (Token Status List). An index is drawn at random and never used again.
CREATE TABLE status_list (
  id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  size      integer NOT NULL CHECK (size > 0 AND size % 8 = 0),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  full_at   timestamptz
);

-- The bits as they were at one instant, compressed and ready to be signed.
CREATE TABLE status_list_copy (
  list  integer PRIMARY KEY REFERENCES status_list,
  lst   bytea NOT NULL,                         -- zlib (RFC 1950)
  as_of timestamptz NOT NULL
);

-- What was said of a citizen to another city: one row a grant. It ends with what it rests on, in
-- the same transaction; its bit follows.
CREATE TABLE recognition (
  id             uuid PRIMARY KEY,              -- the grant's jti
  citizen        uuid NOT NULL,
  party          integer NOT NULL REFERENCES party,
  city           text NOT NULL CHECK (city ~ '^[0-9]{6}$'),
  consent        uuid NOT NULL,
  scenarios      text[] NOT NULL,
  scheme         text NOT NULL,
  scheme_version integer NOT NULL,
  tier           text NOT NULL,
  band_floor     smallint NOT NULL CHECK (band_floor BETWEEN 1 AND 5),  -- below it, it ends
  reserved_fen   bigint NOT NULL DEFAULT 0 CHECK (reserved_fen >= 0),   -- of the own deposit cap
  status_list    integer NOT NULL REFERENCES status_list,
  status_idx     integer NOT NULL CHECK (status_idx >= 0),
  issued_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  until_at       timestamptz NOT NULL,          -- the consent's own end
  ended_at       timestamptz,
  reason         text,
  UNIQUE (status_list, status_idx),
  FOREIGN KEY (scheme, scheme_version) REFERENCES recognition_scheme,
  CHECK ((ended_at IS NULL) = (reason IS NULL))
);
CREATE INDEX recognition_citizen ON recognition (citizen, issued_at DESC);
CREATE INDEX recognition_live ON recognition (until_at) WHERE ended_at IS NULL;

-- ---------------------------------------------------------------- visitors

-- A visit on its way, known by a secret that the visitor's browser alone holds.
CREATE TABLE visit_attempt (
  id_hash      bytea PRIMARY KEY,               -- SHA-256 of the cookie
  home         text NOT NULL CHECK (home ~ '^[0-9]{6}$'),
  scenarios    text[] NOT NULL,
  jkt          text NOT NULL,
  state_hash   bytea NOT NULL UNIQUE,
  verifier     bytea NOT NULL,                  -- PKCE, sealed
  recognition  bytea,                           -- the grant, sealed, until it is presented
  returned_at  timestamptz,                     -- the callback, once
  presented_at timestamptz,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz NOT NULL
);
CREATE INDEX visit_attempt_expires ON visit_attempt (expires_at);

-- Another city's citizen here: a citizen row without identity, found by that city's name for them.
CREATE TABLE visitor (
  citizen uuid PRIMARY KEY,
  issuer  smallint NOT NULL REFERENCES issuer,
  subject text NOT NULL,
  UNIQUE (issuer, subject)
);

-- A recognition accepted here, one row a grant; the newest living one is in force.
CREATE TABLE visit (
  id             uuid PRIMARY KEY,              -- UUIDv7
  citizen        uuid NOT NULL,
  issuer         smallint NOT NULL REFERENCES issuer,
  jti            text NOT NULL,
  scheme         text NOT NULL,
  scheme_version integer NOT NULL,
  tier           text NOT NULL,
  band           smallint NOT NULL CHECK (band BETWEEN 1 AND 5),
  scenarios      text[] NOT NULL,
  limit_fen      bigint NOT NULL DEFAULT 0 CHECK (limit_fen >= 0),      -- for deposits waived here
  as_of          date NOT NULL,
  home_consent   uuid NOT NULL,
  policy         text NOT NULL,                 -- the home city's policy revision
  status_uri     text NOT NULL,
  status_idx     integer NOT NULL CHECK (status_idx >= 0),
  granted_at     timestamptz NOT NULL,          -- the grant's iat
  opened_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at       timestamptz,
  reason         text,
  -- A grant is good once, for ever: its time is over long before this row is forgotten.
  UNIQUE (issuer, jti),
  FOREIGN KEY (scheme, scheme_version) REFERENCES recognition_scheme,
  CHECK ((ended_at IS NULL) = (reason IS NULL))
);
CREATE INDEX visit_citizen ON visit (citizen, granted_at DESC);
CREATE INDEX visit_live ON visit (issuer, status_uri) WHERE ended_at IS NULL;

-- What the visitor's key may be exchanged for: a session, once, within minutes.
CREATE TABLE visit_token (
  token_hash bytea PRIMARY KEY,
  citizen    uuid NOT NULL,
  visit      uuid NOT NULL,
  jkt        text NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
CREATE INDEX visit_token_expires ON visit_token (expires_at);

-- What was not accepted, and why: for the city's own eyes, counted by the minute under a flood.
CREATE TABLE recognition_refusal (
  minute timestamptz NOT NULL,
  place  text NOT NULL,                         -- par, authorize, code, exchange, grant, trust-list, …
  city   text NOT NULL,                         -- GB/T 2260 where it is known, else ''
  reason text NOT NULL,
  times  bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (minute, place, city, reason)
);

GRANT SELECT, INSERT, UPDATE ON trust_list, recognition_refusal TO qianjiang_gateway;
GRANT SELECT ON recognition_scheme TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (fresh_until) ON issuer TO qianjiang_gateway;
GRANT SELECT, INSERT, DELETE, UPDATE (scenarios, status, citizen, consent, code_hash, code_until,
  token_hash, token_until, opened_at, expires_at) ON recognition_request TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (full_at) ON status_list TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (lst, as_of) ON status_list_copy TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (ended_at, reason) ON recognition TO qianjiang_gateway;
GRANT SELECT, INSERT, DELETE, UPDATE (recognition, returned_at, presented_at) ON visit_attempt
  TO qianjiang_gateway;
GRANT SELECT, INSERT ON visitor TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (ended_at, reason) ON visit TO qianjiang_gateway;
GRANT SELECT, INSERT, DELETE, UPDATE (used_at) ON visit_token TO qianjiang_gateway;
