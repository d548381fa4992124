"""The same questions with Python and orjson. Usage: peer_orjson.py prompts|events|deltas LOG"""
import sys

import orjson

write = sys.stdout.buffer.write


def opened(row):
    """The payload of a row: JSON inside a string inside JSON."""
    inner = orjson.loads(row["line"].removeprefix("data:"))
    payload = inner.get("payload")
    return payload if isinstance(payload, dict) else inner


def prompts(line):
    row = orjson.loads(line)
    if row.get("event") == "turn.user_message":
        write(orjson.dumps({"t": row["t"], "sid": row["sid"], "text": opened(row)["message"]}) + b"\n")


def events(line):
    row = orjson.loads(line)
    head = {key: row.get(key) for key in ("t", "sid", "round", "flow_id", "event")}
    write(orjson.dumps({**head, **orjson.loads(row["metadata"]), "payload": opened(row)}) + b"\n")


DELTAS = (".output_text.delta", ".reasoning_summary_text.delta", ".function_call_arguments.delta",
          ".custom_tool_call_input.delta")
items = {}


def deltas(line):
    row = orjson.loads(line)
    event = row.get("event", "") if isinstance(row, dict) else ""
    if event.startswith("response.") and event.endswith(DELTAS):
        inner = opened(row)
        pieces = items.setdefault((row["sid"], inner["item_id"]), [])
        pieces.append((inner["sequence_number"], row["t"], inner["delta"]))


each = {"prompts": prompts, "events": events, "deltas": deltas}[sys.argv[1]]
with open(sys.argv[2], "rb") as log:
    for text in log:
        try:
            each(text)
        except orjson.JSONDecodeError:
            pass  # A bad line.
whole = []
for (sid, item), pieces in items.items():
    pieces.sort()
    text = "".join(delta for _, _, delta in pieces)
    whole.append({"t": min(t for _, t, _ in pieces), "sid": sid, "item_id": item, "deltas": len(pieces), "text": text})
for record in sorted(whole, key=lambda record: record["t"]):
    write(orjson.dumps(record) + b"\n")
