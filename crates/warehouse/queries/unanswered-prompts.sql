-- Prompts to which the agent said nothing, the latest last
SELECT t, provider, sid, session_turn, status, tool_calls, prompt, src
FROM turns
WHERE reply IS NULL AND status <> 'open'
ORDER BY t
