-- How many tool calls turns take, by provider and model
SELECT
    provider,
    model,
    count(*) AS turns,
    round(avg(tool_calls), 2) AS mean,
    quantile_disc(tool_calls, 0.5) AS p50,
    quantile_disc(tool_calls, 0.95) AS p95,
    max(tool_calls) AS most
FROM turns
GROUP BY provider, model
ORDER BY provider, model
