-- What staff asked at a counter, for their own list of the day: who, where, about which scenario, and
-- which answer came of it. Neither the citizen nor the facts: they are in the answer's own record.
CREATE TABLE counter_question (
  id        uuid PRIMARY KEY,                    -- UUIDv7
  party     integer NOT NULL REFERENCES party,
  staff     uuid NOT NULL REFERENCES counter_staff,
  key       text NOT NULL,                       -- the page's own name for it: a repeat is the same
  desk      text,
  scenario  text NOT NULL,
  reference text,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  request   uuid,                                -- the consent that the citizen was asked for
  decision  uuid,                                -- the answer; NULL = none came
  UNIQUE (staff, key)
);
CREATE INDEX counter_question_party ON counter_question (party, id DESC);

GRANT SELECT, INSERT, UPDATE (request, decision) ON counter_question TO qianjiang_gateway;
