-- Turns that did not come to their end, the latest last
SELECT t, provider, sid, session_turn, status, duration_ms, tool_calls, prompt, src
FROM turns
WHERE status IN ('aborted', 'shutdown', 'superseded')
ORDER BY t
