-- name: close
-- What cities said of their citizens is not fresh any more, but for those named.
WITH closed AS (
  UPDATE issuer SET fresh_until = 'epoch'
   WHERE code <> ALL ($1::text[]) AND fresh_until > 'epoch' RETURNING 1
)
SELECT count(*) FROM closed

-- name: extend
-- The list is locked against being replaced, and must be the one by which the caller judged: else
-- a city that was struck off a moment ago would be fresh again.
WITH judged AS (
  SELECT expires_at FROM trust_list WHERE content = $3 FOR SHARE
)
UPDATE issuer SET fresh_until = least(from_us($2), judged.expires_at)
  FROM judged WHERE issuer.code = $1
RETURNING to_us(fresh_until)
