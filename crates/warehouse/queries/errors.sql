-- Failed calls by tool
SELECT
    provider,
    name,
    kind,
    count(*) AS calls,
    count(*) FILTER (WHERE state = 'failed') AS failed,
    count(*) FILTER (WHERE state IN ('unanswered', 'cancelled')) AS without_result,
    round(count(*) FILTER (WHERE state = 'failed') / count(*), 4) AS failure_rate,
    max(t) FILTER (WHERE state = 'failed') AS last_failed
FROM calls
GROUP BY provider, name, kind
HAVING failed > 0 OR without_result > 0
ORDER BY failed DESC, without_result DESC, provider, name
