-- Visitors' standings name the city whose word they stand on, so that the statement that records a
-- decision can require it to be fresh; and a rule names the compiler that made it, since answers on
-- record are read by the clauses that were asked.

ALTER TABLE standing ADD COLUMN issuer smallint;   -- NULL for citizens of the city

-- As before, and with the issuer.
CREATE FUNCTION standing_put(citizens uuid[], versions bigint[], digests bigint[], bodies bytea[],
                             issuers smallint[])
  RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE written integer;
BEGIN
  INSERT INTO standing AS s (citizen, version, digest, body, issuer)
  SELECT * FROM unnest(citizens, versions, digests, bodies, issuers)
  ON CONFLICT (citizen) DO UPDATE
     SET version = excluded.version, digest = excluded.digest, body = excluded.body,
         issuer = excluded.issuer
   WHERE s.version < excluded.version;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> cardinality(citizens) THEN
    RAISE EXCEPTION 'a standing version must grow' USING ERRCODE = 'QJ001';
  END IF;
  INSERT INTO standing_change (citizen) SELECT unnest(citizens);
END $$;

REVOKE ALL ON FUNCTION standing_put(uuid[], bigint[], bigint[], bytea[], smallint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION standing_put(uuid[], bigint[], bigint[], bytea[], smallint[])
  TO qianjiang_gateway;

ALTER TABLE policy ADD COLUMN compiler integer NOT NULL DEFAULT 1;
