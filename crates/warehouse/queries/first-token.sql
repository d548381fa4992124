-- Time between a prompt and the first that was streamed after it, by provider
WITH streamed AS (
    SELECT turns.provider, turns.sid, turns.t AS asked, min(deltas.t) AS first
    FROM deltas
    ASOF JOIN turns ON deltas.sid = turns.sid AND deltas.t >= turns.t
    GROUP BY ALL
)
SELECT
    provider,
    count(*) AS turns,
    quantile_cont(epoch_ms(first) - epoch_ms(asked), 0.5)::BIGINT AS p50_ms,
    quantile_cont(epoch_ms(first) - epoch_ms(asked), 0.95)::BIGINT AS p95_ms,
    max(epoch_ms(first) - epoch_ms(asked)) AS max_ms
FROM streamed
GROUP BY provider
ORDER BY provider
