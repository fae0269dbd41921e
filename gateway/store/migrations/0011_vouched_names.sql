-- Whoever was enrolled at a counter has the name that was typed there, until the identity provider
-- vouches for one at the first sign-in. Once a login is bound, who a citizen is stays as it is; the
-- serving role can neither erase nor replace it.
CREATE FUNCTION citizen_vouch(vouched uuid, sealed bytea) RETURNS void
LANGUAGE sql STRICT SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE public.citizen SET identity = sealed
   WHERE id = vouched AND erased_at IS NULL AND wrapped_key IS NOT NULL
     AND NOT EXISTS (SELECT FROM public.login WHERE citizen = vouched)
$$;

REVOKE ALL ON FUNCTION citizen_vouch(uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION citizen_vouch(uuid, bytea) TO qianjiang_gateway;
