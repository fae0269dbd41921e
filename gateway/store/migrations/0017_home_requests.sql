-- A request of another city belongs to the session that was begun for it, and knows what it led to.
ALTER TABLE recognition_request
  ADD COLUMN session bytea,                     -- hash of the session that may decide it, and no other
  ADD COLUMN recognition uuid;                  -- void with it where its code comes a second time
GRANT UPDATE (session, recognition) ON recognition_request TO qianjiang_gateway;
