-- What each call had in its context, and how much it grew since the one before
-- $session = : only sessions whose id ends so
SELECT
    sid,
    call,
    t,
    model,
    context_tokens,
    context_tokens - lag(context_tokens) OVER calls AS growth,
    context_window,
    round(context_tokens / context_window, 4) AS share
FROM tokens_by_call
WHERE suffix(sid, $session)
WINDOW calls AS (PARTITION BY sid ORDER BY call)
ORDER BY sid, call
