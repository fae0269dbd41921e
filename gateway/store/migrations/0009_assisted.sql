-- Assisted service: what staff at a counter record for people without a phone (无障碍环境建设法
-- 39). One row an act, never altered, and the citizen sees each: who, where, why, and the hash of
-- the receipt that was printed. What the person refused is nowhere.
CREATE TABLE assisted_act (
  id             uuid PRIMARY KEY,              -- UUIDv7
  at             timestamptz NOT NULL DEFAULT clock_timestamp(),
  citizen        uuid NOT NULL,
  party          integer NOT NULL REFERENCES party,
  staff          uuid NOT NULL,                 -- the account, and the name it had then
  staff_name     text NOT NULL,
  place          text NOT NULL,
  scenario       text NOT NULL,
  purpose        text NOT NULL,
  act            text NOT NULL CHECK (act IN (
    'enrolment', 'score_authorisation', 'consent', 'commitment',
    'score_withdrawal', 'consent_withdrawal', 'commitment_withdrawal', 'found')),
  target         uuid,                          -- consent or commitment; the score has no id
  target_version integer,
  text_version   text,                          -- the words that were read aloud
  text_sha256    bytea CHECK (length(text_sha256) = 32),
  document       text NOT NULL,                 -- which kind was checked, never its number
  receipt_no     text,
  receipt_sha256 bytea CHECK (length(receipt_sha256) = 32),
  CHECK ((receipt_no IS NULL) = (receipt_sha256 IS NULL)),
  CHECK ((act = 'found') = (receipt_no IS NULL)),
  CHECK ((target_version IS NULL) = (act IN ('enrolment', 'found'))),
  CHECK ((text_sha256 IS NULL) = (act NOT IN ('score_authorisation', 'consent', 'commitment')))
);
CREATE INDEX assisted_act_citizen ON assisted_act (citizen, id DESC);

-- A promise is signed by a device or recorded by an act, and never both.
ALTER TABLE commitment
  ALTER COLUMN device DROP NOT NULL,
  ALTER COLUMN jws DROP NOT NULL,
  ADD COLUMN assisted uuid,
  ADD CONSTRAINT commitment_has_one_way CHECK (
    CASE WHEN assisted IS NULL THEN device IS NOT NULL AND jws IS NOT NULL
         ELSE device IS NULL AND jws IS NULL END);

-- A version of a consent that an act recorded; NULL = the citizen's own.
ALTER TABLE consent ADD COLUMN assisted uuid;

GRANT SELECT, INSERT ON assisted_act TO qianjiang_gateway;
