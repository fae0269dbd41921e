-- name: open_matters
-- What stands in the way of closing an account, the oldest first; one more than is told shows
-- whether anything follows.
SELECT kind, with_whom, amount_fen, items, at_us FROM (
  SELECT 'deposit' AS kind, coalesce(e.name, w.entity) AS with_whom, w.deposit_fen AS amount_fen,
         NULL::integer AS items, to_us(w.opened_at) AS at_us
    FROM waiver AS w LEFT JOIN legal_entity AS e ON e.id = w.entity
   WHERE w.citizen = $1 AND w.settled_at IS NULL
  UNION ALL
  SELECT 'medical_advance', NULL, m.amount_fen, NULL, to_us(m.opened_at)
    FROM medical_advance AS m WHERE m.citizen = $1 AND m.settled_at IS NULL
  UNION ALL
  SELECT 'loan', coalesce(e.name, l.entity), NULL, l.items, to_us(l.due_at)
    FROM loan AS l LEFT JOIN legal_entity AS e ON e.id = l.entity
   WHERE l.citizen = $1 AND l.returned_at IS NULL) AS matter
 ORDER BY at_us LIMIT $2

-- name: close
SELECT citizen_close($1)
