-- The longest lines of the logs, and where they stand
-- $rows = 20: how many
SELECT src.len AS bytes, t, provider, sid, event, src.path AS path, src.line AS line
FROM events
ORDER BY bytes DESC, path, line
LIMIT $rows::BIGINT
