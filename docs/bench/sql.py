#!/usr/bin/env python3
"""Time alog-sql: against alog-turns, against its own first load, and against DuckDB's reading of JSON.

    sql.py --bin BIN_DIR --data DIR [--runs 5]

DIR/big.jsonl is the log; DIR/giant.jsonl, a log with a line of 96 MB, is made there. DuckDB for Python is taken
from DIR/venv, where bench.py puts it.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

TURNS = "SELECT status, count(*) AS n, avg(duration_ms) AS ms FROM turns GROUP BY status"


def took(*command):
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stderr.decode()[-300:]}")
    return seconds


def row(name, seconds, base, limit):
    ratio = seconds / base
    met = "" if limit is None else f"≤ {limit}: {'met' if ratio <= limit else 'MISSED'}"
    print(f"| {name:<52} | {seconds:>7.2f} s | {ratio:>6.2f} | {met} |")


def without_its_end(log, part):
    """The first 99 % of a log, up to a line's end."""
    keep = log.stat().st_size * 99 // 100
    with log.open("rb") as source, part.open("wb") as copy:
        while keep > 0 and (chunk := source.read(min(keep, 1 << 24))):
            copy.write(chunk)
            keep -= len(chunk)
        copy.write(source.readline())
    return part.stat().st_size


def grow(log, part, size):
    with log.open("rb") as source, part.open("ab") as copy:
        source.seek(size)
        shutil.copyfileobj(source, copy, 1 << 24)


def kept(sql, log, data):
    """First load, the same query again, and an update after 1 % of growth."""
    part, db = data / "growing.jsonl", data / "bench.db"
    first, second, update = [], [], []
    for _ in range(3):
        for old in (db, data / "bench.db.wal"):
            old.unlink(missing_ok=True)
        size = without_its_end(log, part)
        first.append(took(sql, "--db", db, TURNS, part))
        second.append(took(sql, "--db", db, TURNS, part))
        grow(log, part, size)
        update.append(took(sql, "--db", db, TURNS, part))
    part.unlink()
    db.unlink()
    return [statistics.median(times) for times in (first, second, update)]


def giant(path):
    """Some rows of a log, and between them one whose text has 96 MB."""
    def line(n, payload):
        inner = json.dumps({"type": "turn.exec.end", "payload": payload})
        return json.dumps({"event": "turn.exec.end", "t": f"2025-11-18T12:00:{n:02d}.000", "line": inner,
                           "sid": "s", "pid": 1, "data_count": n}) + "\n"
    with path.open("w") as out:
        for n in range(20):
            out.write(line(n, {"call_id": f"c{n}", "exit_code": 0, "stdout": "x" * (96_000_000 if n == 10 else 100)}))


def peer(python, path):
    """DuckDB by itself, with the types that it infers."""
    code = (f"import duckdb; print(duckdb.sql(\"SELECT count(*) FROM read_json('{path}') "
            "WHERE event = 'turn.exec.end'\").fetchone()[0])")
    start = time.perf_counter()
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"n/a ({type(error).__name__})"
    if done.returncode:
        lines = [text for text in done.stderr.splitlines() if "Error" in text]
        return "fails: " + (lines[-1][:200] if lines else done.stderr[-200:])
    return f"{time.perf_counter() - start:.2f} s, {done.stdout.strip()} rows"


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--bin", type=Path, required=True)
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--runs", type=int, default=5)
    args = args.parse_args()
    sql, turns, log = args.bin / "alog-sql", args.bin / "alog-turns", args.data / "big.jsonl"
    if not os.access(sql, os.X_OK):
        return print("alog-sql: n/a (`make sql` builds it)")
    pairs = [(took(turns, log), took(sql, TURNS, log)) for _ in range(args.runs)]
    plain, asked = (statistics.median(times) for times in zip(*pairs))
    print("\n| alog-sql | time | ratio | limit |\n| --- | --- | --- | --- |")
    row("alog-turns", plain, plain, None)
    row("alog-sql, a query over turns", asked, plain, 1.3)
    first, second, update = kept(sql, log, args.data)
    row("alog-sql --db, first load", first, first, None)
    row("the same query again", second, first, 0.1)
    row("after 1 % of growth", update, first, 0.1)
    path = args.data / "giant.jsonl"
    giant(path)
    ours = took(sql, "SELECT count(*) FROM events WHERE event = 'turn.exec.end'", path)
    print(f"\nA line of 96 MB: alog-sql {ours:.2f} s, 20 rows; read_json: {peer(args.data / 'venv/bin/python', path)}")
    path.unlink()


if __name__ == "__main__":
    main()
