-- name: close
-- What cities said of their citizens is not fresh any more, but for those named.
WITH closed AS (
  UPDATE issuer SET fresh_until = 'epoch'
   WHERE code <> ALL ($1::text[]) AND fresh_until > 'epoch' RETURNING 1
)
SELECT count(*) FROM closed

-- name: is_kept
SELECT true FROM trust_list WHERE content = $1 FOR SHARE

-- name: everyone
SELECT code, to_us(fresh_until) AS until_us FROM issuer ORDER BY code
