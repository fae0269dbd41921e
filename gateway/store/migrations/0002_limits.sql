-- How much a party may ask: requests a second for ever, and at once after a rest. NULL = what the
-- gateway's settings say. The burst is at least one second's worth, so that a window of whole
-- seconds describes it (RateLimit-Policy). The bounds are those of gateway/gcra.py.
ALTER TABLE party
  ADD COLUMN rate_per_s integer CHECK (rate_per_s BETWEEN 1 AND 100000),
  ADD COLUMN rate_burst integer CHECK (rate_burst BETWEEN 1 AND 1000000),
  ADD CHECK ((rate_per_s IS NULL) = (rate_burst IS NULL)),
  ADD CHECK (rate_burst >= rate_per_s);

-- A change of the limit moves the revision: a worker that decides by the former one learns of it.
CREATE OR REPLACE FUNCTION party_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_table_name = 'party' THEN
    IF (new.status, new.entity, new.tokens_not_before, new.city, new.community,
        new.rate_per_s, new.rate_burst)
       IS DISTINCT FROM (old.status, old.entity, old.tokens_not_before, old.city, old.community,
                         old.rate_per_s, old.rate_burst) THEN
      new.revision := nextval('party_revision');
    END IF;
    RETURN new;
  END IF;
  UPDATE party SET revision = nextval('party_revision')
   WHERE num IN (coalesce(new.party, old.party), coalesce(old.party, new.party));
  RETURN NULL;
END $$;
