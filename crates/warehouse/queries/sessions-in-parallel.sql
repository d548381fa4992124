-- How many sessions worked at once at the most, by hour
WITH edges AS (
    SELECT t AS at, 1 AS step FROM turns
    UNION ALL
    SELECT coalesce(t_end, t), -1 FROM turns
),
at_once AS (
    SELECT at, sum(step) OVER (ORDER BY at, step DESC ROWS UNBOUNDED PRECEDING) AS sessions
    FROM edges
    WHERE at IS NOT NULL
)
SELECT date_trunc('hour', at) AS hour, max(sessions) AS most_at_once
FROM at_once
GROUP BY hour
ORDER BY hour
