-- How the limits of the account went, by hour, in percent
SELECT
    date_trunc('hour', t) AS hour,
    provider,
    max(rate_limits.primary.peak) AS primary_peak,
    arg_max(rate_limits.primary.last, t) AS primary_last,
    max(rate_limits.secondary.peak) AS secondary_peak,
    arg_max(rate_limits.secondary.last, t) AS secondary_last
FROM tokens_by_call
WHERE rate_limits IS NOT NULL
GROUP BY ALL
ORDER BY hour, provider
