#!/usr/bin/env python3
"""Time the commands against other tools on the same log, and print one table.

    bench.py --bin BIN_DIR --data DIR [--runs 5]

DIR/big.jsonl is the log (made by testlog); other files that are needed are made in DIR too.
Every case runs once a round, so that a slow minute of the machine meets all of them; a case that
takes over 2 s runs in three rounds, over 15 s in one. Memory is the peak of the largest process of the case.
A tool that is not there is "n/a" and never a failure. Only the standard library is used.
"""
import argparse
import os
import platform
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIME_LIMIT = 180  # seconds
UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


@dataclass
class Case:
    name: str
    job: str
    command: str | None  # None: not there
    scale: float = 1.0  # what a time is multiplied with
    seconds: list = field(default_factory=list)
    peak: int = 0  # bytes
    failed: str | None = None

    def wanted(self, done):
        if self.command is None or self.failed:
            return False
        worst = max(self.seconds, default=0.0) / self.scale
        return done < (5 if worst < 2 else 3 if worst < 15 else 1) or not self.seconds

    def run(self):
        start = time.perf_counter()
        shell = self.command if "|" in self.command else "exec " + self.command
        child = subprocess.Popen(["/bin/sh", "-c", shell], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        timer = threading.Timer(TIME_LIMIT, os.killpg, (child.pid, 9))
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        took = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode == -9:
            self.failed = f"over {TIME_LIMIT} s"
        elif child.returncode != 0:
            self.failed = f"failed ({child.returncode})"
        else:
            self.seconds.append(took * self.scale)
            self.peak = max(self.peak, usage.ru_maxrss * UNIT)

    @property
    def median(self):
        return statistics.median(self.seconds) if self.seconds else None


def measure(cases, rounds):
    for case in cases:
        if case.command:
            note(f"  {case.name}: {case.command}")
    for done in range(rounds):
        for case in cases:
            if case.wanted(done):
                case.run()


def note(text):
    print(text, file=sys.stderr, flush=True)


def q(*words):
    return shlex.join(map(str, words))


def tool(name, command):
    return command if shutil.which(name) else None


def python_with_peers(data):
    """A throw-away Python that has duckdb and orjson, each if it can be had."""
    python = data / "venv" / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", data / "venv"], check=True, capture_output=True, timeout=120)
        for package in ("orjson", "duckdb"):
            if not has(python, package):
                note(f"getting {package} from the Python package registry")
                subprocess.run([python, "-m", "pip", "install", "-q", package], capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        note(f"no venv: {error}")
    return python


def has(python, package):
    command = [python, "-c", f"import {package}"]
    return python.exists() and subprocess.run(command, capture_output=True).returncode == 0


def table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    pad = [str.ljust] * 2 + [str.rjust] * (len(head) - 3) + [str.ljust]
    line = lambda row: "| " + " | ".join(p(cell, w) for p, cell, w in zip(pad, row, widths)) + " |"
    rule = ["-" * w if p is str.ljust else "-" * (w - 1) + ":" for p, w in zip(pad, widths)]
    print("\n".join(map(line, [head, rule, *rows])))


def seconds(case):
    if case.median is None:
        return case.failed or "n/a"
    return f"{case.median:.2f} s"


def spread(case):
    return f"{min(case.seconds):.2f}–{max(case.seconds):.2f}" if len(case.seconds) > 1 else "one run"


def ratio(case, base, form="{:.2f}"):
    if case.median is None or base is None or base.median is None:
        return "n/a"
    return form.format(case.median / base.median)


def megabytes(size):
    return f"{size / 1e6:,.0f} MB"


def verdict(limits):
    """`limits` are (text, value or None, limit)."""
    told = [f"{text}: {'n/a' if value is None else 'met' if value <= limit else 'MISSED'}" for text, value, limit in limits]
    return "; ".join(told)


def times_of(case, base):
    return case.median / base.median if case.median and base.median else None


def main_table(args, log, part):
    bin_, python = args.bin, python_with_peers(args.data)
    jq_filter = q("jq", "-c", "-f", HERE / "peer_jq.jq")
    peer = lambda package, what: q(python, HERE / f"peer_{package}.py", what, log) if has(python, package) else None
    rg_and_jq = f"{q('rg', '-N', '--no-filename', 'turn.user_message', log)} | {jq_filter}"
    wc = Case("wc -l", "lines", q("wc", "-l", log))
    rg = Case("rg -c turn.user_message", "lines", tool("rg", q("rg", "-c", "turn.user_message", log)))
    prompts = Case("alog-prompts", "prompts, sorted", q(bin_ / "alog-prompts", log))
    picked = Case("alog-events -e turn.user_message", "prompts, sorted", q(bin_ / "alog-events", "-e", "turn.user_message", log))
    events = Case("alog-events", "all, decoded, sorted", q(bin_ / "alog-events", log))
    deltas = Case("alog-deltas", "items, whole, sorted", q(bin_ / "alog-deltas", log))
    turns = Case("alog-turns", "turns, sorted", q(bin_ / "alog-turns", log))
    tokens = Case("alog-tokens", "tokens by session", q(bin_ / "alog-tokens", log))
    calls = Case("alog-calls", "calls, sorted", q(bin_ / "alog-calls", log))
    deltas_orjson = Case("Python, orjson", "items, whole, sorted", peer("orjson", "deltas"))
    deltas_duckdb = Case("DuckDB", "items, whole, sorted", peer("duckdb", "deltas"))
    cases = [
        wc,
        rg,
        Case("rg turn.user_message \\| jq", "prompts", tool("rg", tool("jq", rg_and_jq))),
        Case("jq (on a tenth, scaled)", "prompts", tool("jq", f"{jq_filter} {q(part)}"),
             scale=log.stat().st_size / part.stat().st_size),
        Case("Python, orjson", "prompts", peer("orjson", "prompts")),
        Case("DuckDB", "prompts, sorted", peer("duckdb", "prompts")),
        prompts,
        picked,
        Case("Python, orjson", "all, decoded", peer("orjson", "events")),
        Case("DuckDB", "all, decoded, sorted", peer("duckdb", "events")),
        events,
        deltas_orjson,
        deltas_duckdb,
        deltas,
        turns,
        tokens,
        calls,
    ]
    warm(log, part)
    measure(cases, args.runs)
    limits = {
        id(prompts): [("≤ 1.5 × rg", times_of(prompts, rg), 1.5), ("< 100 MB", prompts.peak / 1e6, 100)],
        id(picked): [("≤ 1.8 × rg", times_of(picked, rg), 1.8), ("< 100 MB", picked.peak / 1e6, 100)],
        id(events): [("≤ 12 × rg", times_of(events, rg), 12)],
        id(deltas): [("≤ 0.5 × DuckDB", times_of(deltas, deltas_duckdb), 0.5),
                     ("≤ 0.2 × orjson", times_of(deltas, deltas_orjson), 0.2),
                     ("< 200 MB", deltas.peak / 1e6, 200)],
        **{id(case): [(f"≤ {times} × rg", times_of(case, rg), times), ("< 200 MB", case.peak / 1e6, 200)]
           for case, times in ((turns, 3.5), (tokens, 3.5), (calls, 6))},
    }
    print(f"\n{log.stat().st_size / 1e9:.2f} GB of Codex log, page cache warm, output to /dev/null.\n")
    table(["", "what comes out", "median", "min–max", "× rg -c", "× wc -l", "peak", "limit"],
          [[c.name, c.job, seconds(c), spread(c) if c.seconds else "", ratio(c, rg), ratio(c, wc),
            megabytes(c.peak) if c.peak else "n/a", verdict(limits.get(id(c), []))] for c in cases])


def giant_table(args, path):
    line = longest_line(path)
    wc = Case("wc -l", "lines", q("wc", "-l", path))
    ours = [
        Case("alog-prompts", "prompts", q(args.bin / "alog-prompts", path)),
        Case("alog-events -e turn.user_message", "prompts", q(args.bin / "alog-events", "-e", "turn.user_message", path)),
        Case("alog-events", "all, decoded", q(args.bin / "alog-events", path)),
    ]
    cases = [wc, *ours]
    warm(path)
    measure(cases, args.runs)
    print(f"\nA line of {line / 1e6:.0f} MB among good ones ({path.stat().st_size / 1e6:.0f} MB in all).\n")
    rows = []
    for case in cases:
        limits = [("peak < 2.5 × the line", case.peak / line, 2.5)] if case is not wc else []
        if case in ours[:2]:
            limits.insert(0, ("≤ 3 × wc", times_of(case, wc), 3.0))
        time_ = f"{case.median * 1000:.0f} ms" if case.median else seconds(case)
        rows.append([case.name, case.job, time_, ratio(case, wc, "{:.1f}"), megabytes(case.peak),
                     f"{case.peak / line:.2f}", verdict(limits)])
    table(["", "what comes out", "median", "× wc -l", "peak", "peak / line", "limit"], rows)


def longest_line(path):
    """Found in small steps: what is measured inherits the peak memory of this program."""
    longest = current = 0
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(1 << 16):
            first, *others = chunk.split(b"\n")
            current += len(first)
            for text in others:
                longest, current = max(longest, current), len(text)
    return max(longest, current)


def warm(*paths):
    os.sync()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 16):
                pass


def remark(load):
    def version(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.splitlines()[0]
        except (OSError, IndexError, subprocess.SubprocessError):
            return f"{command[0]} n/a"
    peers = ", ".join([version("rg", "--version"), version("jq", "--version")])
    print(f"\n{os.cpu_count()} cores, {platform.system()} {platform.machine()}; {peers}; "
          f"load before the run {load:.1f}, after {os.getloadavg()[0]:.1f}.")
    if load > 0.5:
        print("The machine was not idle: trust the ratios more than the seconds, and neither to the last tenth.")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    print(f"No peak can show as less than {megabytes(own)}, that of the program that measures. "
          "rg maps the file, and what it maps counts as its own.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, required=True, help="where the built commands are")
    parser.add_argument("--data", type=Path, required=True, help="where big.jsonl is, and other files may be made")
    parser.add_argument("--runs", type=int, default=5, help="runs of a fast case (default 5)")
    args = parser.parse_args()
    args.bin, args.data = args.bin.resolve(), args.data.resolve()
    log, load = args.data / "big.jsonl", os.getloadavg()[0]
    if not log.exists():
        parser.error(f"{log} is not there: make bench makes it")
    part, giant = args.data / "part.jsonl", args.data / "giant.jsonl"
    subprocess.run([sys.executable, HERE / "make_logs.py", log, part, giant], check=True)
    main_table(args, log, part)
    giant_table(args, giant)
    remark(load)


main()
