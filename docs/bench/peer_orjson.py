"""The same questions with Python and orjson. Usage: peer_orjson.py prompts|events LOG"""
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


each = {"prompts": prompts, "events": events}[sys.argv[1]]
with open(sys.argv[2], "rb") as log:
    for text in log:
        each(text)
