-- Visitors go as citizens do: with an account's end nothing joins them to their home city any more.

GRANT DELETE ON visit TO qianjiang_gateway;
CREATE INDEX visit_ended ON visit (ended_at) WHERE ended_at IS NOT NULL;

-- What ends with an account that a visitor has. The home city's name for the visitor is forgotten,
-- so whoever comes again is somebody else here. A grant that could still be shown must be refused
-- for a while: its row stays for as long, of nobody, with nothing in it but its own id.
CREATE FUNCTION visitor_forget(closing uuid) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  DELETE FROM visit_token WHERE citizen = closing;
  DELETE FROM visitor WHERE citizen = closing;
  DELETE FROM visit WHERE citizen = closing AND granted_at < clock_timestamp() - interval '5 minutes';
  UPDATE visit SET citizen = gen_random_uuid(), home_consent = gen_random_uuid(), policy = '',
                   status_uri = '', status_idx = 0, limit_fen = 0,
                   ended_at = coalesce(ended_at, clock_timestamp()), reason = coalesce(reason, 'closed')
   WHERE citizen = closing;
$$;

-- As before (0005), with visitors.
CREATE OR REPLACE FUNCTION citizen_close(closing uuid) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  PERFORM FROM standing WHERE citizen = closing FOR UPDATE;
  IF EXISTS (SELECT FROM waiver WHERE citizen = closing AND settled_at IS NULL)
     OR EXISTS (SELECT FROM medical_advance WHERE citizen = closing AND settled_at IS NULL)
     OR EXISTS (SELECT FROM loan WHERE citizen = closing AND returned_at IS NULL) THEN
    RAISE EXCEPTION 'matters are open' USING ERRCODE = 'QJ002';
  END IF;
  IF EXISTS (SELECT FROM (SELECT DISTINCT ON (id) status FROM consent WHERE citizen = closing
                           ORDER BY id, version DESC) AS newest WHERE status IN ('active', 'paused'))
     OR EXISTS (SELECT FROM (SELECT DISTINCT ON (id) status FROM commitment WHERE citizen = closing
                              ORDER BY id, version DESC) AS newest WHERE status = 'signed')
     OR EXISTS (SELECT FROM device WHERE citizen = closing AND revoked_at IS NULL)
     OR 'given' = (SELECT status FROM score_authorisation WHERE citizen = closing
                    ORDER BY version DESC LIMIT 1) THEN
    RAISE EXCEPTION 'something of the account still stands' USING ERRCODE = 'QJ003';
  END IF;
  DELETE FROM score WHERE citizen = closing;
  DELETE FROM login WHERE citizen = closing;
  DELETE FROM credit_code WHERE citizen = closing;
  DELETE FROM session WHERE citizen = closing;
  DELETE FROM commitment_nonce WHERE citizen = closing;
  DELETE FROM citizen_limit WHERE citizen = closing;
  DELETE FROM probe_mark WHERE citizen = closing;
  DELETE FROM waiver WHERE citizen = closing;
  DELETE FROM medical_advance WHERE citizen = closing;
  DELETE FROM loan WHERE citizen = closing;
  DELETE FROM library_card WHERE citizen = closing;
  DELETE FROM points_entry WHERE citizen = closing;
  DELETE FROM residency WHERE citizen = closing;
  DELETE FROM suspension WHERE citizen = closing;
  DELETE FROM objection WHERE citizen = closing;
  PERFORM visitor_forget(closing);
  -- The public key stays, to verify the promises by; what its owner called it does not.
  UPDATE device SET name = '' WHERE citizen = closing;
  -- Nobody can decide these any more; the party hears that they have run out, as of any other.
  UPDATE consent_request SET expires_at = least(expires_at, clock_timestamp())
   WHERE citizen = closing AND status = 'pending';
  UPDATE correction_request
     SET sealed = NULL, answer = NULL,
         status = CASE status WHEN 'received' THEN 'dropped' ELSE status END,
         decided_at = coalesce(decided_at, clock_timestamp())
   WHERE citizen = closing;
  UPDATE citizen SET identity_index = NULL, identity = NULL, wrapped_key = NULL,
                     erased_at = clock_timestamp()
   WHERE id = closing AND erased_at IS NULL;
END $$;

REVOKE ALL ON FUNCTION visitor_forget(uuid) FROM PUBLIC;
