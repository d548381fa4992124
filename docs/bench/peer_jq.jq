# The same question in jq.
select(.event == "turn.user_message")
| {t, sid, text: (.line | ltrimstr("data:") | fromjson | .payload.message)}
