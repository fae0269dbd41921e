-- name: note
INSERT INTO staff_access (id, staff, purpose, action, citizen) VALUES (uuidv7(), $1, $2, $3, $4)

-- name: note_people
INSERT INTO staff_access (id, staff, purpose, action, citizen)
SELECT uuidv7(), $1, $2, $3, c.id FROM citizen AS c WHERE c.identity_index = ANY ($4::bytea[])
