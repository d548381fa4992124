-- How many sessions worked at once at the most, by hour
WITH edges AS (
    SELECT t AS moment, 1 AS step FROM turns
    UNION ALL
    SELECT coalesce(t_end, t), -1 FROM turns
),
at_once AS (
    SELECT moment, sum(step) OVER (ORDER BY moment, step DESC ROWS UNBOUNDED PRECEDING) AS sessions
    FROM edges
    WHERE moment IS NOT NULL
)
SELECT date_trunc('hour', moment) AS hour, max(sessions) AS most_at_once
FROM at_once
GROUP BY hour
ORDER BY hour
