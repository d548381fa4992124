-- Commands that a session ran over and over
-- $times = 3: how often at the least
WITH streamed AS (
    SELECT t, sid, name, coalesce(json->>'$.command', json->>'$.cmd') AS command
    FROM deltas
    WHERE kind = 'tool_args'
),
rollouts AS (
    SELECT t, sid, payload->>'$.name' AS name, TRY_CAST(payload->>'$.arguments' AS JSON) AS args
    FROM events
    WHERE event = 'response_item.function_call'
),
transcripts AS (
    SELECT t, sid, unnest(payload->'$.message.content[*]') AS item
    FROM events
    WHERE event = 'assistant'
),
runs AS (
    SELECT t, sid, name, command FROM streamed
    UNION ALL
    SELECT t, sid, name, coalesce(args->>'$.command', args->>'$.cmd') FROM rollouts
    UNION ALL
    SELECT t, sid, item->>'$.name', item->>'$.input.command' FROM transcripts
    WHERE item->>'$.type' = 'tool_use'
)
SELECT sid, name, command, count(*) AS times, min(t) AS t, max(t) AS t_last
FROM runs
WHERE command IS NOT NULL
GROUP BY sid, name, command
HAVING times >= $times::BIGINT
ORDER BY times DESC, t
