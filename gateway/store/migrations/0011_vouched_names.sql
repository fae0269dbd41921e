-- Whoever was enrolled at a counter has the name that was typed there, until the identity provider
-- vouches for one at the first sign-in.
GRANT UPDATE (identity) ON citizen TO qianjiang_gateway;
