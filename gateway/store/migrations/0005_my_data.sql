-- My data: requests for correction, what one citizen may ask for how often, and the end of an account.

-- A request for correction (PIPL 46; 浙江省公共信用信息管理条例 30, 31). What it names and the
-- citizen's words are personal data, hence sealed; what is plain says what kind of matter it is and
-- how long it has waited. The row outlives the account, with nothing readable in it.
CREATE TABLE correction_request (
  id          uuid PRIMARY KEY,                 -- UUIDv7
  citizen     uuid NOT NULL,
  about       text NOT NULL CHECK (about IN ('identity', 'fact', 'lookup', 'other')),
  sealed      bytea,                            -- what it names, and the words; NULL = erased
  status      text NOT NULL DEFAULT 'received'
              CHECK (status IN ('received', 'accepted', 'refused', 'dropped')),
  received_at timestamptz NOT NULL,
  due_on      date NOT NULL,                    -- the last day to decide, in Asia/Shanghai
  decided_at  timestamptz,
  staff       text,
  answer      bytea,                            -- the office's words, sealed
  CHECK ((status = 'received') = (decided_at IS NULL))
);
CREATE INDEX correction_request_citizen ON correction_request (citizen, id DESC);
CREATE INDEX correction_request_open ON correction_request (due_on, id) WHERE status = 'received';

-- What costs much is allowed a citizen so often (gateway/gcra.py): when all of it is there again.
CREATE TABLE citizen_limit (
  citizen uuid NOT NULL,
  what    text NOT NULL,
  full_at timestamptz NOT NULL,
  PRIMARY KEY (citizen, what)
);
CREATE INDEX citizen_limit_full_at ON citizen_limit (full_at);

-- The writers' lock, and whether all of these citizens still have an account: who waited here while
-- an account was closed must not write for it any more. The second statement reads what the lock's
-- last holder committed; a citizen about to be enrolled has no row yet.
CREATE FUNCTION standing_lock_living(citizens uuid[]) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  PERFORM FROM standing WHERE citizen = ANY (citizens) ORDER BY citizen FOR UPDATE;
  RETURN NOT EXISTS (SELECT FROM citizen WHERE id = ANY (citizens) AND erased_at IS NOT NULL);
END $$;

-- The end of an account (PIPL 47), the only way for requests to erase anything. It checks what the
-- gateway must have done before, so that it cannot be used in place of that: nobody whose matters
-- are open is let go, and every consent, promise, device and authorisation has ended by a row of
-- its own. Identity and key are destroyed, so what was sealed under the key cannot be read any
-- more; the identity's index is free for a new account. Answers, consents, promises and acts of
-- staff stay, of a citizen who is nobody.
CREATE FUNCTION citizen_close(closing uuid) RETURNS void
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

GRANT SELECT, INSERT ON correction_request TO qianjiang_gateway;
GRANT SELECT, INSERT, UPDATE (full_at), DELETE ON citizen_limit TO qianjiang_gateway;
REVOKE ALL ON FUNCTION standing_lock_living(uuid[]), citizen_close(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION standing_lock_living(uuid[]), citizen_close(uuid) TO qianjiang_gateway;
