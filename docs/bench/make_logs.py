"""Two logs made from a big one: its first part, and one with a giant line. Usage: make_logs.py LOG PART GIANT

It is a program of its own so that its memory is not taken for that of what is measured.
"""
import json
import sys

PART = 100_000_000
LINE = 100_000_000


def whole_lines(log, size):
    with open(log, "rb") as source:
        text = source.read(size)
    return text[:text.rindex(b"\n") + 1]


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def row_with(stdout, like):
    """A row like another, in which a command has printed `stdout`."""
    inner = {"type": "turn.exec.end", "payload": {"call_id": "call_giant", "stdout": stdout, "exit_code": 0}}
    return dump({**like, "event": "turn.exec.end", "line": "data: " + dump(inner)}).encode() + b"\n"


def giant(log):
    """Good rows, the giant one, good rows. What the command printed is a log of its own."""
    good = whole_lines(log, 4_000_000)
    cut = good.index(b"\n", len(good) // 2) + 1
    like = json.loads(good[:cut].splitlines()[-1])
    part = good.decode()[:1_000_000]
    return good[:cut] + row_with(part * (LINE // len(row_with(part, like)) + 1), like) + good[cut:]


big, part_path, giant_path = sys.argv[1:]
for path, text in ((part_path, whole_lines(big, PART)), (giant_path, giant(big))):
    with open(path, "wb") as target:
        target.write(text)
