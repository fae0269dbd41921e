-- A consent keeps its id when it is given anew. So a request knows by which version of it it was
-- allowed: what was taken back since does not come again with the next consent.
ALTER TABLE recognition_request ADD COLUMN consent_version integer;
GRANT UPDATE (consent_version) ON recognition_request TO qianjiang_gateway;
