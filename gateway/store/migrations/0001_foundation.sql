-- The foundation: who asks, whom it is about, what was consented, what was answered.
--
-- Conventions. Times are timestamptz and compared with clock_timestamp(), never with an
-- application's clock. Money is bigint fen. A citizen is a random 128-bit key that says nothing.
-- Tables that hold promises (consent, commitment) are append-only versions. Hot tables carry no
-- foreign keys: the commit statement joins what it must check, and a lock on a parent row would
-- let one citizen's writer wait on another's lookup.
-- Functions with the owner's rights name pg_temp last: unnamed, it is searched first, and a caller's
-- temporary table with a trigger would run whatever the caller likes as the owner.

CREATE FUNCTION to_us(moment timestamptz) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (extract(epoch FROM moment) * 1000000)::bigint;

CREATE FUNCTION from_us(moment bigint) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN timestamptz 'epoch' + moment * interval '1 microsecond';

-- The clock in microseconds. A double holds them exactly until the year 2255.
CREATE FUNCTION clock_us() RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN (date_part('epoch', clock_timestamp()) * 1000000)::bigint;

-- The city and the restore generation. A database restored from a backup must get a new
-- generation (qianjiang migrate --restored), or version numbers of two histories could meet.
CREATE TABLE realm (
  only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  city       text NOT NULL CHECK (city ~ '^[0-9]{6}$'),   -- GB/T 2260
  generation bigint NOT NULL DEFAULT (random() * 9e18)::bigint
);

-- ---------------------------------------------------------------- who asks

-- A recipient in the sense of PIPL 23. Its sector separates pseudonyms and is never reused.
CREATE TABLE legal_entity (
  id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9-]{3,64}$'),
  sector     integer GENERATED ALWAYS AS IDENTITY UNIQUE,
  name       text NOT NULL,
  contact    text NOT NULL,
  promise    text NOT NULL DEFAULT '',    -- its own public commitment, shown to citizens
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE SEQUENCE party_revision;

CREATE TABLE party (
  num               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id                text NOT NULL UNIQUE CHECK (id ~ '^[a-z0-9-]{3,64}$'),   -- OAuth client_id
  entity            text NOT NULL REFERENCES legal_entity,
  kind              text NOT NULL CHECK (kind IN ('merchant', 'hospital', 'library', 'community', 'city')),
  name              text NOT NULL,
  status            text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
  revision          bigint NOT NULL DEFAULT nextval('party_revision'),
  tokens_not_before timestamptz NOT NULL DEFAULT 'epoch',
  city              text CHECK (city ~ '^[0-9]{6}$'),
  community         text,
  webhook_url       text,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((kind = 'city') = (city IS NOT NULL)),
  CHECK ((kind = 'community') = (community IS NOT NULL))
);

CREATE TABLE party_key (
  party      integer NOT NULL REFERENCES party,
  kid        text NOT NULL,
  jwk        text NOT NULL,                     -- public JWK as JSON
  added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz,
  PRIMARY KEY (party, kid)
);

-- Which scenarios a party may ask about, and who receives the answer: its own legal entity, or
-- the operator it acts for (hospitals under one settlement operator, PIPL 21).
CREATE TABLE party_scenario (
  party     integer NOT NULL REFERENCES party,
  scenario  text NOT NULL,
  recipient text NOT NULL REFERENCES legal_entity,
  PRIMARY KEY (party, scenario)
);

-- Every security-relevant change of a party moves its revision, which each commit compares.
CREATE FUNCTION party_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_table_name = 'party' THEN
    IF (new.status, new.entity, new.tokens_not_before, new.city, new.community)
       IS DISTINCT FROM (old.status, old.entity, old.tokens_not_before, old.city, old.community) THEN
      new.revision := nextval('party_revision');
    END IF;
    RETURN new;
  END IF;
  UPDATE party SET revision = nextval('party_revision')
   WHERE num IN (coalesce(new.party, old.party), coalesce(old.party, new.party));
  RETURN NULL;
END $$;
CREATE TRIGGER party_moves BEFORE UPDATE ON party FOR EACH ROW EXECUTE FUNCTION party_moves();
CREATE TRIGGER party_key_moves AFTER INSERT OR UPDATE OR DELETE ON party_key
  FOR EACH ROW EXECUTE FUNCTION party_moves();
CREATE TRIGGER party_scenario_moves AFTER INSERT OR UPDATE OR DELETE ON party_scenario
  FOR EACH ROW EXECUTE FUNCTION party_moves();

-- The single use of client assertions (RFC 7523 3, item 7): decided here, never by the cache.
CREATE TABLE assertion_used (
  issuer  text NOT NULL,
  jti     text NOT NULL,
  expires timestamptz NOT NULL,
  PRIMARY KEY (issuer, jti)
);
CREATE INDEX assertion_used_expires ON assertion_used (expires);

-- The live set of compiled scenarios. Two revisions of one scenario live together while workers
-- are being replaced.
CREATE TABLE policy (
  num          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scenario     text NOT NULL,
  revision     bytea NOT NULL CHECK (length(revision) = 32),
  live         boolean NOT NULL DEFAULT true,
  manifest     text NOT NULL,                   -- canonical JSON, what the revision hashes
  published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  retired_at   timestamptz,
  UNIQUE (scenario, revision)
);

-- ---------------------------------------------------------------- whom it is about

CREATE TABLE citizen (
  id             uuid PRIMARY KEY,              -- 128 random bits
  identity_index bytea UNIQUE,                  -- keyed blind index of the identity number
  identity       bytea,                         -- sealed under the person's key
  wrapped_key    bytea,                         -- the person's key under the city's; NULL = destroyed
  synthetic      boolean NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  erased_at      timestamptz
);

CREATE TABLE login (
  issuer        text NOT NULL,
  subject_index bytea NOT NULL,                 -- keyed hash of the issuer's subject
  citizen       uuid NOT NULL,
  PRIMARY KEY (issuer, subject_index)
);

CREATE TABLE session (
  id_hash    bytea PRIMARY KEY,                 -- SHA-256 of the cookie
  citizen    uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  ended_at   timestamptz
);
CREATE INDEX session_citizen ON session (citizen);
CREATE INDEX session_expires ON session (expires_at);

-- Notice and authorisation before the score is first computed or shown (PIPL 14, 17).
CREATE TABLE score_authorisation (
  citizen     uuid NOT NULL,
  version     integer NOT NULL,
  status      text NOT NULL CHECK (status IN ('given', 'withdrawn')),
  notice      text NOT NULL,                    -- version of the notice shown
  text_sha256 bytea NOT NULL CHECK (length(text_sha256) = 32),
  leave_out   text[] NOT NULL DEFAULT '{}',     -- honours, volunteering, donations (深圳 39)
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (citizen, version)
);

CREATE TABLE device (
  id                uuid PRIMARY KEY,
  citizen           uuid NOT NULL,
  kid               text NOT NULL UNIQUE,       -- RFC 7638 thumbprint of the public key
  jwk               text NOT NULL,
  name              text NOT NULL,
  registered_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at        timestamptz,
  compromised_since timestamptz
);
CREATE INDEX device_citizen ON device (citizen);

CREATE TABLE commitment_nonce (
  nonce_hash       bytea PRIMARY KEY,
  citizen          uuid NOT NULL,
  scenario         text NOT NULL,
  party            text,
  template         text NOT NULL,
  template_version text NOT NULL,
  text_sha256      bytea NOT NULL CHECK (length(text_sha256) = 32),
  expires_at       timestamptz NOT NULL,
  used_at          timestamptz
);
CREATE INDEX commitment_nonce_expires ON commitment_nonce (expires_at);

CREATE TABLE commitment (
  id               uuid NOT NULL,
  version          integer NOT NULL,
  citizen          uuid NOT NULL,
  scenario         text NOT NULL,
  entity           text,                        -- the legal entity named, NULL = the city's scenario
  template         text NOT NULL,
  template_version text NOT NULL,
  text_sha256      bytea NOT NULL CHECK (length(text_sha256) = 32),
  device           uuid NOT NULL,
  jws              text NOT NULL,
  status           text NOT NULL CHECK (status IN ('signed', 'withdrawn', 'void')),
  signed_at        timestamptz NOT NULL,
  at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, version)
);
CREATE INDEX commitment_citizen ON commitment (citizen, id, version DESC);

CREATE TABLE consent_request (
  id             uuid PRIMARY KEY,
  party          integer NOT NULL REFERENCES party,
  recipient      text NOT NULL REFERENCES legal_entity,
  scenario       text NOT NULL,
  purpose        text NOT NULL,
  out_request_no text NOT NULL,
  body_hash      bytea NOT NULL,
  return_uri     text,
  status         text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'granted', 'declined', 'expired')),
  citizen        uuid,
  consent        uuid,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at     timestamptz NOT NULL,
  decided_at     timestamptz,
  UNIQUE (party, out_request_no)
);
CREATE INDEX consent_request_citizen ON consent_request (citizen) WHERE citizen IS NOT NULL;
CREATE INDEX consent_request_ends ON consent_request (expires_at) WHERE status = 'pending';

-- One id for a citizen, recipient and scenario; every act is a new version.
CREATE TABLE consent (
  id           uuid NOT NULL,
  version      integer NOT NULL,
  citizen      uuid NOT NULL,
  recipient    text NOT NULL REFERENCES legal_entity,
  scenario     text NOT NULL,
  purpose      text NOT NULL,
  fields       text[] NOT NULL,
  text_version text NOT NULL,
  text_sha256  bytea NOT NULL CHECK (length(text_sha256) = 32),
  from_at      timestamptz NOT NULL,
  to_at        timestamptz NOT NULL,
  frequency    integer CHECK (frequency > 0),   -- questions a day (Asia/Shanghai), NULL = no limit
  status       text NOT NULL CHECK (status IN ('active', 'paused', 'withdrawn', 'expired')),
  paused_until timestamptz,
  request      uuid,
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id, version),
  CHECK (from_at < to_at)
);
CREATE INDEX consent_citizen ON consent (citizen, id, version DESC);
CREATE INDEX consent_ends ON consent (to_at) WHERE status IN ('active', 'paused');

-- The second lane's counter. Uses shown to people are derived from decisions, not from here.
CREATE TABLE consent_use (
  consent uuid NOT NULL,
  day     date NOT NULL,                        -- in Asia/Shanghai
  uses    integer NOT NULL,
  allowed integer NOT NULL,
  PRIMARY KEY (consent, day)
);
CREATE INDEX consent_use_day ON consent_use (day);

-- ---------------------------------------------------------------- facts, score

-- Scoring facts wait under the blind index: they may arrive before the person first signs in.
CREATE TABLE fact (
  identity_index bytea NOT NULL,
  department     text NOT NULL,
  code           text NOT NULL,
  source_ref     text NOT NULL,
  dimension      text NOT NULL,
  value          text NOT NULL,                 -- JSON: a whole number or a code of the catalogue
  effective      date NOT NULL,
  expires        date,
  determined     date,
  sphere         text NOT NULL CHECK (sphere IN ('public', 'market')),
  imported_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (identity_index, department, code, source_ref)
);
CREATE INDEX fact_negative ON fact (determined) WHERE determined IS NOT NULL;

CREATE TABLE publish_run (
  id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model       text NOT NULL,
  as_of       date NOT NULL,
  scored      integer NOT NULL,
  changed     integer NOT NULL,
  band_moves  integer NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE score (
  citizen uuid PRIMARY KEY,
  run     integer NOT NULL,
  score   smallint NOT NULL CHECK (score BETWEEN 0 AND 1000),
  band    smallint NOT NULL CHECK (band BETWEEN 1 AND 5),
  factors bytea NOT NULL                        -- sealed under the person's key
);

-- The only way for requests to write a score: of a living citizen, under the very authorisation it
-- was computed by, and never over one of a later run. Returns whose were written.
CREATE FUNCTION score_put(run integer, citizens uuid[], authorisations integer[],
                          scores smallint[], bands smallint[], sealed bytea[]) RETURNS SETOF uuid
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  INSERT INTO score AS s (citizen, run, score, band, factors)
  SELECT given.citizen, $1, given.score, given.band, given.sealed
    FROM unnest($2, $3, $4, $5, $6) AS given (citizen, authorisation, score, band, sealed)
    JOIN citizen AS c ON c.id = given.citizen AND c.erased_at IS NULL
   WHERE (given.authorisation, 'given') =
         (SELECT version, status FROM score_authorisation WHERE citizen = c.id
           ORDER BY version DESC LIMIT 1)
  ON CONFLICT (citizen) DO UPDATE
     SET run = excluded.run, score = excluded.score, band = excluded.band,
         factors = excluded.factors
   WHERE s.run <= excluded.run
  RETURNING s.citizen
$$;

-- ---------------------------------------------------------------- city facts
-- Loaded by seed or import until their scenarios' lifecycles write them.

CREATE TABLE waiver (
  id          text PRIMARY KEY,
  citizen     uuid NOT NULL,
  entity      text NOT NULL,
  deposit_fen bigint NOT NULL CHECK (deposit_fen >= 0),
  opened_at   timestamptz NOT NULL,
  settled_at  timestamptz
);
CREATE INDEX waiver_citizen ON waiver (citizen);

CREATE TABLE medical_advance (
  id         text PRIMARY KEY,
  citizen    uuid NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
  opened_at  timestamptz NOT NULL,
  settled_at timestamptz
);
CREATE INDEX medical_advance_citizen ON medical_advance (citizen);

CREATE TABLE loan (
  id          text PRIMARY KEY,
  citizen     uuid NOT NULL,
  entity      text NOT NULL,
  items       integer NOT NULL CHECK (items > 0),
  due_at      timestamptz NOT NULL,
  returned_at timestamptz
);
CREATE INDEX loan_citizen ON loan (citizen);

CREATE TABLE library_card (
  entity  text NOT NULL,
  card    text NOT NULL,
  citizen uuid NOT NULL,                        -- whose standing the card rides on
  PRIMARY KEY (entity, card)
);
CREATE INDEX library_card_citizen ON library_card (citizen);

CREATE TABLE points_entry (
  id         text PRIMARY KEY,
  citizen    uuid NOT NULL,
  community  text NOT NULL,
  points     integer NOT NULL,
  at         timestamptz NOT NULL,
  expires_at timestamptz
);
CREATE INDEX points_entry_citizen ON points_entry (citizen);

CREATE TABLE residency (
  citizen   uuid NOT NULL,
  community text NOT NULL,
  from_at   timestamptz NOT NULL,
  to_at     timestamptz,
  PRIMARY KEY (citizen, community, from_at)
);

CREATE TABLE stock (
  community text NOT NULL,
  item      text NOT NULL,
  pieces    integer NOT NULL CHECK (pieces >= 0),
  PRIMARY KEY (community, item)
);

CREATE TABLE suspension (
  id        uuid PRIMARY KEY,
  citizen   uuid NOT NULL,
  scenario  text NOT NULL,
  from_at   timestamptz NOT NULL,
  lifted_at timestamptz
);
CREATE INDEX suspension_citizen ON suspension (citizen);

CREATE TABLE objection (
  id        uuid PRIMARY KEY,
  citizen   uuid NOT NULL,
  scenario  text,                               -- NULL = every scenario
  opened_at timestamptz NOT NULL,
  closed_at timestamptz
);
CREATE INDEX objection_citizen ON objection (citizen);

-- A party that asked too many distinct amounts about one citizen today hears `standard_path`.
CREATE TABLE probe_mark (
  citizen  uuid NOT NULL,
  sector   integer NOT NULL,
  until_at timestamptz NOT NULL,
  PRIMARY KEY (citizen, sector)
);

-- ---------------------------------------------------------------- the standing

CREATE SEQUENCE standing_version;

CREATE TABLE standing (
  citizen uuid PRIMARY KEY,
  version bigint NOT NULL,
  digest  bigint NOT NULL,
  body    bytea NOT NULL
) WITH (fillfactor = 80);

-- What the relay still has to bring to the cache.
CREATE TABLE standing_change (
  seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  citizen uuid NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The lock is a statement of its own, before anything is read: a snapshot taken while waiting
-- for a lock is older than what the lock's last holder wrote.
CREATE FUNCTION standing_lock(citizens uuid[]) RETURNS integer
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH locked AS (
    SELECT 1 FROM standing WHERE citizen = ANY (citizens) ORDER BY citizen FOR UPDATE
  ) SELECT count(*)::integer FROM locked
$$;

-- The only way to write a standing. Versions only grow, so a reused number is an error here.
CREATE FUNCTION standing_put(citizens uuid[], versions bigint[], digests bigint[], bodies bytea[])
  RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE written integer;
BEGIN
  INSERT INTO standing AS s (citizen, version, digest, body)
  SELECT * FROM unnest(citizens, versions, digests, bodies)
  ON CONFLICT (citizen) DO UPDATE
     SET version = excluded.version, digest = excluded.digest, body = excluded.body
   WHERE s.version < excluded.version;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(citizens) THEN
    RAISE EXCEPTION 'a standing version must grow' USING ERRCODE = 'QJ001';
  END IF;
  INSERT INTO standing_change (citizen) SELECT unnest(citizens);
END $$;

-- ---------------------------------------------------------------- what was answered

-- One row per answer, kept ten years (浙江省公共信用信息管理条例 20). No facts, no factor values.
-- Its times are microseconds since the epoch, as in the canonical bytes that the receipt hashes;
-- converting them costs the hot path more than the rest of the row.
CREATE TABLE decision (
  id               uuid NOT NULL,               -- UUIDv7, the partition key
  at_us            bigint NOT NULL,             -- the database's clock in the committing statement
  received_us      bigint NOT NULL,
  party            integer NOT NULL,
  party_revision   bigint NOT NULL,
  policy           integer NOT NULL,
  citizen          uuid NOT NULL,
  standing_version bigint NOT NULL,             -- 0 = the subject opened to nobody
  consent          uuid,                        -- the authorisation relied on, with its version
  consent_version  integer,
  outcome          smallint NOT NULL,
  clauses          bigint NOT NULL,             -- bitmap of clauses met
  since_us         bigint NOT NULL,             -- the interval in which the answer held
  until_us         bigint NOT NULL,
  valid_until_us   bigint NOT NULL,
  score_as_of      date,
  facts_hash       bytea NOT NULL,              -- keyed: equal facts of one party compare, no more
  staff            text,
  reference        text,
  repeat_of        uuid,
  receipt          bytea NOT NULL,              -- SHA-256 of the row's canonical bytes
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX decision_citizen ON decision (citizen, id DESC);
CREATE TABLE decision_default PARTITION OF decision DEFAULT;

-- The facts, sealed under the person's key, with a shorter life of their own.
CREATE TABLE decision_facts (
  decision uuid NOT NULL,
  sealed   bytea NOT NULL,
  PRIMARY KEY (decision)
) PARTITION BY RANGE (decision);
CREATE TABLE decision_facts_default PARTITION OF decision_facts DEFAULT;

-- Rows of commits whose outcome was unknown to the worker: recorded, and not delivered.
CREATE TABLE decision_undelivered (decision uuid PRIMARY KEY);

-- The lowest UUIDv7 of an instant: the bounds of partitions and of scans by time.
CREATE FUNCTION uuid7_floor(moment timestamptz) RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0')
          || '00000000000000000000')::uuid;

-- Months are created ahead of time, so that the default partitions stay empty.
CREATE FUNCTION decision_partitions(first timestamptz, months integer) RETURNS integer
  LANGUAGE plpgsql AS $$
DECLARE
  start_at timestamptz := date_trunc('month', first, 'UTC');
  made integer := 0;
  base text; child text; lower_at timestamptz;
BEGIN
  FOR i IN 0 .. months - 1 LOOP
    lower_at := date_trunc('month', start_at + make_interval(months => i), 'UTC');
    FOREACH base IN ARRAY ARRAY['decision', 'decision_facts'] LOOP
      child := base || to_char(lower_at AT TIME ZONE 'UTC', '"_"YYYYMM');
      IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, base,
          uuid7_floor(lower_at),
          uuid7_floor(date_trunc('month', lower_at + interval '1 month', 'UTC')));
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
SELECT decision_partitions(clock_timestamp(), 14);

-- A party's own name for a question, kept 24 hours.
CREATE TABLE decision_request (
  party      integer NOT NULL,
  request_id text NOT NULL,
  body_hash  bytea NOT NULL,
  decision   uuid NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (party, request_id)
);
CREATE INDEX decision_request_at ON decision_request (at);

-- ---------------------------------------------------------------- writes, messages, staff

CREATE TABLE idempotency (
  principal text NOT NULL,
  key       text NOT NULL,
  body_hash bytea NOT NULL,                     -- method, path and body
  status    smallint,
  response  bytea,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE webhook_message (
  id           text PRIMARY KEY,
  party        integer NOT NULL REFERENCES party,
  type         text NOT NULL,
  payload      text NOT NULL,                   -- the exact JSON to be signed and sent
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts     integer NOT NULL DEFAULT 0,
  next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  delivered_at timestamptz,
  given_up_at  timestamptz,
  last_error   text
);
CREATE INDEX webhook_message_due ON webhook_message (party, next_at)
  WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX webhook_message_created ON webhook_message (created_at);

-- Addresses that answered 410: nothing is sent there again; a new address starts afresh.
CREATE TABLE webhook_gone (
  party integer NOT NULL REFERENCES party,
  url   text NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (party, url)
);

-- Every act of staff that reads or changes a citizen's data; the citizen sees it.
CREATE TABLE staff_access (
  id      uuid PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  staff   text NOT NULL,
  purpose text NOT NULL,
  action  text NOT NULL,
  citizen uuid NOT NULL
);
CREATE INDEX staff_access_citizen ON staff_access (citizen, at DESC);

-- ---------------------------------------------------------------- rights
-- The role that answers requests can add promises and answers; it can alter neither.

GRANT USAGE ON SCHEMA public TO qianjiang_gateway;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO qianjiang_gateway;
GRANT USAGE ON SEQUENCE standing_version TO qianjiang_gateway;
GRANT INSERT ON assertion_used, citizen, login, session, score_authorisation, device,
  commitment_nonce, commitment, consent_request, consent, consent_use, decision, decision_facts,
  decision_undelivered, decision_request, idempotency, webhook_message, webhook_gone, staff_access
  TO qianjiang_gateway;
GRANT UPDATE (uses, allowed) ON consent_use TO qianjiang_gateway;
GRANT UPDATE (decision, at) ON decision_request TO qianjiang_gateway;
GRANT UPDATE (ended_at, expires_at) ON session TO qianjiang_gateway;
GRANT UPDATE (revoked_at, compromised_since, name) ON device TO qianjiang_gateway;
GRANT UPDATE (used_at) ON commitment_nonce TO qianjiang_gateway;
GRANT UPDATE (status, citizen, consent, decided_at) ON consent_request TO qianjiang_gateway;
GRANT UPDATE (status, response) ON idempotency TO qianjiang_gateway;
GRANT UPDATE (attempts, next_at, delivered_at, given_up_at, last_error) ON webhook_message
  TO qianjiang_gateway;
GRANT INSERT, UPDATE, DELETE ON probe_mark TO qianjiang_gateway;
GRANT DELETE ON standing_change, assertion_used, decision_request, idempotency, session,
  commitment_nonce, consent_use, webhook_message TO qianjiang_gateway;
REVOKE ALL ON FUNCTION standing_lock(uuid[]), standing_put(uuid[], bigint[], bigint[], bytea[]),
  score_put(integer, uuid[], integer[], smallint[], smallint[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION standing_lock(uuid[]), standing_put(uuid[], bigint[], bigint[], bytea[]),
  score_put(integer, uuid[], integer[], smallint[], smallint[], bytea[]) TO qianjiang_gateway;
