-- How much of the input was read from the cache, by day and model
SELECT
    day,
    provider,
    model,
    sum(calls) AS calls,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(input_tokens + cache_read_tokens + cache_write_tokens) AS all_input_tokens,
    round(
        sum(cache_read_tokens)
        / nullif(sum(input_tokens + cache_read_tokens + cache_write_tokens), 0), 4
    ) AS hit_rate
FROM tokens_by_call
GROUP BY day, provider, model
ORDER BY day, provider, model
