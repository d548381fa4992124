"""Makes transcripts of Claude Code for benchmarks, out of some that are there. Usage:

    transcripts.py copies SOURCE OUT BYTES     copies of all transcripts below SOURCE, until there are so many bytes
    transcripts.py small SOURCE OUT FILES      so many small files: the first rows of each transcript, again and again
    transcripts.py snapshots OUT BYTES         one file of rows of the type file-history-snapshot, about 1 MB each

In each copy the ids of rows, messages, requests and sessions are other ones, so that nothing counts as told before.
OUT is made as the folder `projects` that Claude Code has.
"""
import json
import re
import sys
from pathlib import Path

UUID = re.compile(rb"\b[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)")
# Ids that are no UUIDs: of messages and requests, and of sessions and rows in made-up transcripts.
OTHER = re.compile(rb'("(?:requestId|sessionId|uuid|parentUuid|leafUuid|logicalParentUuid)"\s*:\s*"|"id"\s*:\s*"msg_)([^"]*)(?=")')
SMALL = 8 << 10
SNAPSHOT = 1 << 20


def renamed(text, copy):
    """The text with other ids. Within a copy, different ids stay different."""
    text = UUID.sub(lambda id: b"%08x" % (int(id[0], 16) ^ copy), text)
    return OTHER.sub(lambda id: id[0] if UUID.match(id[2]) else id[0] + b"-%x" % copy, text)


def sources(folder):
    """Each transcript below the folder, with its path in it."""
    found = [(path.relative_to(folder), path.read_bytes()) for path in sorted(folder.rglob("*.jsonl"))]
    found = [(path, text) for path, text in found if text.strip()]
    if not found:
        sys.exit(f"no transcripts below {folder}")
    return found


def write(out, path, text, copy):
    project, *below = renamed(str(path).encode(), copy).decode().split("/")
    target = out.joinpath(f"{project}-{copy:x}", *below) if below else out / f"p-{copy:x}" / project
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.write_bytes(renamed(text, copy))


def copies(source, out, size):
    found, written, copy = sources(source), 0, 0
    while written < size:
        copy += 1
        for path, text in found:
            written += write(out, path, text, copy)
            if written >= size:
                break
    print(f"{written:,} bytes, {copy} copies")


def small(source, out, count):
    heads = [(path, text[:SMALL].rpartition(b"\n")[0] + b"\n") for path, text in sources(source)]
    heads = [(path, text) for path, text in heads if len(text) > 1]
    written = 0
    for i in range(count):
        path, text = heads[i % len(heads)]
        written += write(out, path, text, i // len(heads) + 1)
    print(f"{written:,} bytes, {count} files")


def snapshots(out, size):
    out.mkdir(parents=True, exist_ok=True)
    session = "5b1f0a52-3c1d-4e0b-9a77-0c5d1e2f3a01"
    text = "".join(f"fn line_{i}() {{ println!(\"{i}\"); }}\n" for i in range(SNAPSHOT // 36))
    written, row = 0, 0
    with open(out / f"{session}.jsonl", "wb") as target:
        while written < size:
            row += 1
            id = f"{row:08x}-0000-4000-8000-000000000000"
            time = f"2026-03-02T{row // 3600 % 24:02}:{row // 60 % 60:02}:{row % 60:02}.000Z"
            files = {"src/lib.rs": {"backupFileName": id, "version": row, "backupTime": time, "content": text}}
            snapshot = {"messageId": id, "trackedFileBackups": files, "timestamp": time}
            line = {"type": "file-history-snapshot", "messageId": id, "snapshot": snapshot, "isSnapshotUpdate": False}
            written += target.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    print(f"{written:,} bytes, {row} rows")


match sys.argv[1:]:
    case ["copies", source, out, size]:
        copies(Path(source), Path(out), int(size))
    case ["small", source, out, count]:
        small(Path(source), Path(out), int(count))
    case ["snapshots", out, size]:
        snapshots(Path(out), int(size))
    case _:
        sys.exit(__doc__)
