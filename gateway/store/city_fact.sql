-- name: put_waiver
INSERT INTO waiver (citizen, id, entity, deposit_fen, opened_at, settled_at)
VALUES ($1, $2, $3, $4, from_us($5), from_us($6))
ON CONFLICT (id) DO UPDATE SET deposit_fen = excluded.deposit_fen, settled_at = excluded.settled_at
 WHERE waiver.citizen = excluded.citizen

-- name: put_medical_advance
INSERT INTO medical_advance (citizen, id, amount_fen, opened_at, settled_at)
VALUES ($1, $2, $3, from_us($4), from_us($5))
ON CONFLICT (id) DO UPDATE SET amount_fen = excluded.amount_fen, settled_at = excluded.settled_at
 WHERE medical_advance.citizen = excluded.citizen

-- name: put_loan
INSERT INTO loan (citizen, id, entity, items, due_at, returned_at)
VALUES ($1, $2, $3, $4, from_us($5), from_us($6))
ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, returned_at = excluded.returned_at
 WHERE loan.citizen = excluded.citizen

-- name: put_library_card
INSERT INTO library_card (citizen, entity, card) VALUES ($1, $2, $3)
ON CONFLICT (entity, card) DO NOTHING

-- name: put_points_entry
INSERT INTO points_entry (citizen, id, community, points, at, expires_at)
VALUES ($1, $2, $3, $4, from_us($5), from_us($6))
ON CONFLICT (id) DO NOTHING

-- name: put_stay
INSERT INTO residency (citizen, community, from_at, to_at)
VALUES ($1, $2, from_us($3), from_us($4))
ON CONFLICT (citizen, community, from_at) DO UPDATE SET to_at = excluded.to_at

-- name: put_suspension
INSERT INTO suspension (citizen, id, scenario, from_at, lifted_at)
VALUES ($1, $2, $3, from_us($4), from_us($5))
ON CONFLICT (id) DO UPDATE SET lifted_at = excluded.lifted_at
 WHERE suspension.citizen = excluded.citizen

-- name: put_objection
INSERT INTO objection (citizen, id, scenario, opened_at, closed_at)
VALUES ($1, $2, $3, from_us($4), from_us($5))
ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at
 WHERE objection.citizen = excluded.citizen

-- name: put_shelf
INSERT INTO stock (community, item, pieces) VALUES ($1, $2, $3)
ON CONFLICT (community, item) DO UPDATE SET pieces = excluded.pieces

-- name: waived
-- One snapshot: the sum of all first, then the newest months.
SELECT coalesce(sum(w.deposit_fen), 0)::bigint AS deposit_fen,
  coalesce(sum(w.deposit_fen) FILTER (WHERE w.settled_at IS NOT NULL), 0)::bigint AS settled_fen,
  count(w.id) AS times, count(w.settled_at) AS settled_times, w.name AS entity, w.month
  FROM (SELECT w.id, w.deposit_fen, w.settled_at, coalesce(e.name, w.entity) AS name,
               to_char(w.opened_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month
          FROM waiver AS w LEFT JOIN legal_entity AS e ON e.id = w.entity
         WHERE w.citizen = $1) AS w
 GROUP BY GROUPING SETS ((), (w.name, w.month))
 ORDER BY grouping(w.month) DESC, w.month DESC, w.name LIMIT $2
