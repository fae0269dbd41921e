-- What status lists read, every other second at home and every few seconds in a visited city.

-- The bits of a list that are set, from the index alone.
CREATE INDEX recognition_ended ON recognition (status_list) INCLUDE (status_idx)
  WHERE ended_at IS NOT NULL;
-- What may end with a change of a citizen's standing: nothing, for nearly everybody.
CREATE INDEX recognition_standing ON recognition (citizen) WHERE ended_at IS NULL;
-- Living visits by the place where their status is told; `visit_live` is its beginning.
CREATE INDEX visit_status ON visit (issuer, status_uri, status_idx) WHERE ended_at IS NULL;
DROP INDEX visit_live;
