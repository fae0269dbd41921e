-- name: load
SELECT s.community, s.item, s.pieces
  FROM unnest($1::text[], $2::text[]) AS wanted (community, item)
  JOIN stock AS s USING (community, item)
