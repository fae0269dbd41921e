-- Searches: which of a party's scenarios are open to one citizen now, asked and answered at once.
--
-- One row per search, as binding as a decision's and kept as long: what was asked, what was found,
-- under which consents. Its times are microseconds since the epoch, as in its canonical bytes.

CREATE TABLE search (
  id               uuid NOT NULL,               -- UUIDv7, the partition key
  at_us            bigint NOT NULL,             -- the database's clock in the committing statement
  received_us      bigint NOT NULL,
  party            integer NOT NULL,
  party_revision   bigint NOT NULL,
  sector           integer NOT NULL,            -- the recipient's, under which the subject opened
  citizen          uuid NOT NULL,
  standing_version bigint NOT NULL,             -- 0 = the subject opened to nobody
  evaluated        integer[] NOT NULL,          -- policies whose rules were asked
  found            integer[] NOT NULL,          -- those of them that were open
  consents         uuid[] NOT NULL,             -- the authorisations relied on, in order of `found`
  consent_versions integer[] NOT NULL,
  since_us         bigint NOT NULL,             -- the interval in which all of it held
  until_us         bigint NOT NULL,
  valid_until_us   bigint NOT NULL,
  score_as_of      date,
  facts_hash       bytea NOT NULL,              -- keyed: equal facts of one recipient compare
  staff            text,
  reference        text,
  receipt          bytea NOT NULL,              -- SHA-256 of the row's canonical bytes
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX search_citizen ON search (citizen, id DESC);
CREATE TABLE search_default PARTITION OF search DEFAULT;

-- The facts, sealed under the person's key, with a shorter life of their own.
CREATE TABLE search_facts (
  search uuid NOT NULL,
  sealed bytea NOT NULL,
  PRIMARY KEY (search)
) PARTITION BY RANGE (search);
CREATE TABLE search_facts_default PARTITION OF search_facts DEFAULT;

-- Rows of commits whose outcome was unknown to the worker: recorded, and not delivered.
CREATE TABLE search_undelivered (search uuid PRIMARY KEY);

-- The months of searches are made with those of decisions.
CREATE OR REPLACE FUNCTION decision_partitions(first timestamptz, months integer) RETURNS integer
  LANGUAGE plpgsql AS $$
DECLARE
  start_at timestamptz := date_trunc('month', first, 'UTC');
  made integer := 0;
  base text; child text; lower_at timestamptz;
BEGIN
  FOR i IN 0 .. months - 1 LOOP
    lower_at := date_trunc('month', start_at + make_interval(months => i), 'UTC');
    FOREACH base IN ARRAY ARRAY['decision', 'decision_facts', 'search', 'search_facts'] LOOP
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

-- The role that answers requests can add searches, and neither alter nor forget them.
GRANT SELECT, INSERT ON search, search_facts, search_undelivered TO qianjiang_gateway;
