-- Tokens and cost by day and project; what has no price is counted apart
SELECT
    day,
    project,
    provider,
    sum(calls) AS calls,
    sum(total_tokens) AS total_tokens,
    sum(cost_usd) AS cost_usd,
    sum(unpriced_tokens) AS unpriced_tokens
FROM tokens_by_call
GROUP BY day, project, provider
ORDER BY day, project, provider
