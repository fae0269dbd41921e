-- Two cities' databases join to nobody (docs/protocol/recognition.md 10): what both know of one
-- visit is kept here under names of this city's own, and of its time the day. The home city keeps
-- the true time of its decisions, so nothing here may tell when somebody came, nor who came first.

CREATE FUNCTION today() RETURNS date LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date;

-- Visits of before name their places in plain, and no statement can translate them: the key is in
-- no database. There were none in production. Their visitors visit again.
DELETE FROM visit_token;
DELETE FROM visit_attempt;
DELETE FROM visit;
DELETE FROM standing WHERE issuer IS NOT NULL;

-- ---------------------------------------------------------------- visits

-- `status_idx` is the place of the grant's bit under a permutation of this city's own. `number`
-- says which visit of a visitor is newest. `granted_at` is the grant's iat, for the minutes in
-- which an older grant might still be shown. An `is_settled` row lies where nothing shows any more
-- in which order visitors came and went on that day.
ALTER TABLE visit
  DROP COLUMN opened_at,
  DROP COLUMN ended_at,
  ALTER COLUMN granted_at DROP NOT NULL,
  ADD COLUMN number     integer NOT NULL CHECK (number > 0),
  ADD COLUMN opened_on  date NOT NULL DEFAULT today(),
  ADD COLUMN ended_on   date,
  ADD COLUMN is_settled boolean NOT NULL DEFAULT false,
  ADD CHECK ((ended_on IS NULL) = (reason IS NULL)),
  ADD CHECK (status_idx < 1048576),
  ADD UNIQUE (citizen, number);
DROP INDEX visit_citizen;
CREATE INDEX visit_status ON visit (issuer, status_uri, status_idx) WHERE ended_on IS NULL;
CREATE INDEX visit_ended ON visit (ended_on) WHERE ended_on IS NOT NULL;
CREATE INDEX visit_granted ON visit (granted_at) WHERE granted_at IS NOT NULL;
CREATE INDEX visit_unsettled ON visit (id) WHERE NOT is_settled;
GRANT UPDATE (granted_at, ended_on, is_settled) ON visit TO qianjiang_gateway;

-- What is over is gone: an attempt that was presented, a token that was used.
ALTER TABLE visit_attempt DROP COLUMN presented_at;
ALTER TABLE visit_token DROP COLUMN used_at;

-- The day on which the last of a visitor's visits ended that is forgotten by now.
ALTER TABLE visitor ADD COLUMN left_on date;
CREATE INDEX visitor_left ON visitor (left_on) WHERE left_on IS NOT NULL;
GRANT UPDATE (left_on) ON visitor TO qianjiang_gateway;

-- Visitors go as citizens do: with an account's end (0005) nothing joins them to their home city any
-- more. The home city's name for the visitor is forgotten, so whoever comes again is somebody else
-- here. A grant that could still be shown must be refused for a while: its row stays for as long,
-- of nobody, with nothing in it but its own id. One whose iat is forgotten cannot be shown any more.
CREATE FUNCTION visitor_forget() RETURNS trigger
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
  DELETE FROM visit_token WHERE citizen = NEW.id;
  DELETE FROM visitor WHERE citizen = NEW.id;
  DELETE FROM visit WHERE citizen = NEW.id
     AND (granted_at IS NULL OR granted_at < clock_timestamp() - interval '5 minutes');
  UPDATE visit SET citizen = gen_random_uuid(), home_consent = gen_random_uuid(), policy = '',
                   status_uri = '', status_idx = 0, limit_fen = 0,
                   ended_on = coalesce(ended_on, today()), reason = coalesce(reason, 'closed')
   WHERE citizen = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER visitor_forget AFTER UPDATE OF erased_at ON citizen FOR EACH ROW
  WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION visitor_forget();

-- As before (0005). A row that was moved while somebody waited for it is waited for again: it has
-- another place, and who holds nothing must not go on.
CREATE OR REPLACE FUNCTION standing_lock_living(citizens uuid[]) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE locked bigint;
BEGIN
  LOOP
    PERFORM FROM standing WHERE citizen = ANY (citizens) ORDER BY citizen FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    EXIT WHEN locked >= (SELECT count(*) FROM standing WHERE citizen = ANY (citizens));
  END LOOP;
  RETURN NOT EXISTS (SELECT FROM citizen WHERE id = ANY (citizens) AND erased_at IS NOT NULL);
END $$;

-- A table's rows lie, and are dumped, in the order in which they were written. So when a day is
-- over, the rows that its visitors' coming and going wrote are written anew, in a random order, by
-- whoever holds the standings' locks. Nothing is changed, and nothing but these can be moved.
CREATE FUNCTION visitors_settle(settled uuid[]) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH gone AS (DELETE FROM citizen AS c USING visitor AS v
                 WHERE v.citizen = c.id AND c.id = ANY (settled) RETURNING c.*)
  INSERT INTO citizen SELECT * FROM gone ORDER BY random();
  WITH gone AS (DELETE FROM standing AS s USING visitor AS v
                 WHERE v.citizen = s.citizen AND s.citizen = ANY (settled) RETURNING s.*)
  INSERT INTO standing SELECT * FROM gone ORDER BY random();
  WITH gone AS (DELETE FROM visitor WHERE citizen = ANY (settled) RETURNING *)
  INSERT INTO visitor SELECT * FROM gone ORDER BY random();
  UPDATE visit SET is_settled = true
   WHERE citizen = ANY (settled) AND coalesce(ended_on, opened_on) < today();
  WITH gone AS (DELETE FROM visit WHERE citizen = ANY (settled) RETURNING *)
  INSERT INTO visit SELECT * FROM gone ORDER BY random();
$$;
REVOKE ALL ON FUNCTION visitors_settle(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visitors_settle(uuid[]) TO qianjiang_gateway;

-- ---------------------------------------------------------------- at home

-- Of a grant the day and its place in line; when exactly it was decided is in the decision's own
-- record, as the law wants it.
ALTER TABLE recognition
  DROP COLUMN issued_at,
  ADD COLUMN number    bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN issued_on date NOT NULL DEFAULT today(),
  ALTER COLUMN citizen DROP NOT NULL,
  ALTER COLUMN party DROP NOT NULL,
  ALTER COLUMN consent DROP NOT NULL,
  ADD CHECK (ended_at IS NOT NULL OR (citizen, party, consent) IS NOT NULL);
CREATE INDEX recognition_citizen ON recognition (citizen, number DESC);
CREATE INDEX recognition_old ON recognition (ended_at)
  WHERE ended_at IS NOT NULL AND citizen IS NOT NULL;

-- A worn-out list takes no more grants, and none of its grants stands: every bit of it is set.
ALTER TABLE status_list ADD COLUMN worn_at timestamptz;
GRANT UPDATE (worn_at) ON status_list TO qianjiang_gateway;

-- What was said of a citizen is forgotten 400 days after its end. Its place is not, for no place is
-- ever used again; in a worn-out list, which gives none away, the row goes too.
CREATE FUNCTION recognitions_forget(most integer) RETURNS integer
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
  WITH due AS (
    SELECT id FROM recognition
     WHERE ended_at < clock_timestamp() - interval '400 days' AND citizen IS NOT NULL
     ORDER BY ended_at LIMIT most FOR UPDATE SKIP LOCKED),
  dropped AS (
    DELETE FROM recognition AS r USING due, status_list AS l
     WHERE r.id = due.id AND l.id = r.status_list AND l.worn_at IS NOT NULL RETURNING r.id),
  blank AS (
    UPDATE recognition AS r
       SET id = gen_random_uuid(), citizen = NULL, party = NULL, consent = NULL, city = '000000',
           scenarios = '{}', tier = '', reserved_fen = 0, reason = 'forgotten'
      FROM due, status_list AS l
     WHERE r.id = due.id AND l.id = r.status_list AND l.worn_at IS NULL RETURNING r.id)
  SELECT ((SELECT count(*) FROM dropped) + (SELECT count(*) FROM blank))::integer
$$;
REVOKE ALL ON FUNCTION recognitions_forget(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recognitions_forget(integer) TO qianjiang_gateway;

GRANT DELETE ON recognition_refusal TO qianjiang_gateway;
