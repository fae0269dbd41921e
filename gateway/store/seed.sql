-- name: known
SELECT identity_index, id FROM citizen WHERE identity_index = ANY ($1::bytea[])

-- name: existing
SELECT id FROM citizen WHERE id = ANY ($1::uuid[])

-- name: erase
-- What an erasure leaves of a citizen: the key is gone, and with it all that it sealed.
UPDATE citizen SET erased_at = clock_timestamp(), wrapped_key = NULL, identity = NULL,
  identity_index = NULL
 WHERE id = ANY ($1::uuid[])
