-- After a restore nobody knows what was said to other cities since the backup, so everything that
-- was ever said is taken back: lists of before, and those that were opened since, are void.
ALTER TABLE status_list ADD COLUMN void_at timestamptz;
