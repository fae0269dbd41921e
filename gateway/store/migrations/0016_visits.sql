-- A visit goes with its visitor, some time after it ended.

GRANT DELETE ON visit TO qianjiang_gateway;
CREATE INDEX visit_ended ON visit (ended_at) WHERE ended_at IS NOT NULL;
