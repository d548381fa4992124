-- Sessions by what they used up and how much they did
-- $rows = 20: how many sessions
SELECT
    sid,
    any_value(provider) AS provider,
    any_value(cwd) AS cwd,
    min(t) AS t,
    max(coalesce(t_end, t)) AS t_last,
    count(*) AS turns,
    sum(tool_calls) AS tool_calls,
    sum(tool_errors) AS tool_errors,
    sum(tokens.total_tokens) AS total_tokens
FROM turns
GROUP BY sid
ORDER BY total_tokens DESC NULLS LAST, turns DESC, sid
LIMIT $rows::BIGINT
