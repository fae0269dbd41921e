-- The single use of DPoP proofs (RFC 9449 11.1): decided here, never by the cache. A proof is named
-- by a keyed hash of its key's thumbprint and its jti, so the table says nothing about whose it was
-- and matches no other city's.
CREATE TABLE dpop_used (
  proof   bytea PRIMARY KEY CHECK (length(proof) = 32),
  expires timestamptz NOT NULL
);
CREATE INDEX dpop_used_expires ON dpop_used (expires);

-- Whether the party's tokens are bound to a key of its own, and good only with its proof.
ALTER TABLE party ADD COLUMN dpop boolean NOT NULL DEFAULT false;

GRANT SELECT, INSERT, DELETE ON dpop_used TO qianjiang_gateway;

-- A change of it moves the revision, as every change of what a party may show does.
CREATE OR REPLACE FUNCTION party_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_table_name = 'party' THEN
    IF (new.status, new.entity, new.tokens_not_before, new.city, new.community,
        new.rate_per_s, new.rate_burst, new.dpop)
       IS DISTINCT FROM (old.status, old.entity, old.tokens_not_before, old.city, old.community,
                         old.rate_per_s, old.rate_burst, old.dpop) THEN
      new.revision := nextval('party_revision');
    END IF;
    RETURN new;
  END IF;
  UPDATE party SET revision = nextval('party_revision')
   WHERE num IN (coalesce(new.party, old.party), coalesce(old.party, new.party));
  RETURN NULL;
END $$;
