-- Tools by how long their calls took
SELECT
    provider,
    name,
    kind,
    count(duration_ms) AS timed_calls,
    quantile_cont(duration_ms, 0.5)::BIGINT AS p50_ms,
    quantile_cont(duration_ms, 0.95)::BIGINT AS p95_ms,
    max(duration_ms) AS max_ms,
    sum(duration_ms) AS total_ms
FROM calls
GROUP BY provider, name, kind
HAVING timed_calls > 0
ORDER BY total_ms DESC, provider, name
