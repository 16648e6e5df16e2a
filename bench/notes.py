"""Attribution notes at the size of the wild: 11,000 notes read and audited in one `tidegate provenance audit`.

The generated notes follow the sizes of 11,316 public ones: median 1 kB, 95th percentile 180 kB, the largest 2.7 MB,
nearly all of it prompts that early versions of git-ai wrote into the metadata.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import measure, tidegate

NOTES = 11_000
BAR_SECONDS = 20.0
BAR_MB = 300
FILES = 400


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        repository = Path(folder) / "repo"
        sizes = sorted(generate(repository, NOTES))
        command = [tidegate(), "provenance", "audit", "--ref", "refs/notes/ai"]
        figure = measure(command, cwd=repository, runs=1, warm=0)
    shape = f"median {_kb(sizes[len(sizes) // 2])}, p95 {_kb(sizes[len(sizes) * 95 // 100])}, sum {_kb(sum(sizes))}"
    print(f"{NOTES:,} notes ({shape}) read and audited")
    print(f"  {figure.cpu:.1f} s CPU    bar {BAR_SECONDS:.0f} s    (this process and its children)")
    print(f"  {figure.rss_mb:.0f} MB RSS   bar {BAR_MB} MB   (the largest process)")
    print(f"  exit code {figure.exit_code}   bar 0       (every note is clean)")
    return int(figure.cpu > BAR_SECONDS or figure.rss_mb > BAR_MB or figure.exit_code != 0)


def generate(path: Path, notes: int) -> list[int]:
    """A repository with as many commits, each with a clean note. The sizes of the notes."""
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=path, check=True)
    rng = random.Random(1)
    added: list[tuple[str, int, int]] = []
    _import(path, _commits(rng, notes, added), "--export-marks=.git/marks")
    oids = dict(line.split(" ") for line in (path / ".git" / "marks").read_text().splitlines())
    sizes: list[int] = []
    _import(path, _notes(rng, oids, added, sizes))
    return sizes


def _commits(rng: random.Random, count: int, added: list[tuple[str, int, int]]) -> Iterator[bytes]:
    """One commit each, that adds a run of lines to one of many files, which start over once they are long."""
    files: dict[str, list[str]] = {}
    for number in range(count):
        name = f"src/area{rng.randrange(FILES) % 20:02}/module{rng.randrange(FILES):03}.py"
        lines = files.setdefault(name, [])
        if len(lines) > 600:
            lines.clear()
        at, run = rng.randint(0, len(lines)), rng.choice((2, 5, 20, 80))
        lines[at:at] = [f"value_{number}_{line} = {number * line}" for line in range(run)]
        added.append((name, at + 1, at + run))
        data = "".join(f"{line}\n" for line in lines).encode()
        message = f"Change {number}\n\nCo-authored-by: Claude <noreply@anthropic.com>\n".encode()
        yield b"commit refs/heads/main\nmark :%d\n" % (number + 1)
        yield b"committer Alice Smith <alice@example.com> %d +0000\n" % (1_700_000_000 + 600 * number)
        yield b"data %d\n%s\nM 100644 inline %s\n" % (len(message), message, name.encode())
        yield b"data %d\n%s\n" % (len(data), data)


def _notes(
    rng: random.Random, oids: dict[str, str], added: list[tuple[str, int, int]], sizes: list[int]
) -> Iterator[bytes]:
    yield b"commit refs/notes/ai\ncommitter git-ai <git-ai@local> 1700000000 +0000\ndata 5\nNotes\n"
    for number, (path, first, last) in enumerate(added):
        oid = oids[f":{number + 1}"]
        text = _note(rng, oid, path, first, last, prompt_bytes=_prompt_bytes(rng, number))
        sizes.append(len(text))
        yield b"N inline %s\ndata %d\n%s\n" % (oid.encode(), len(text), text)


def _prompt_bytes(rng: random.Random, number: int) -> int:
    if number == 5000:
        return 2_700_000
    share = rng.random()
    if share < 0.6:
        return 0
    return rng.randrange(500, 20_000) if share < 0.8 else rng.randrange(20_000, 230_000)


def _note(rng: random.Random, oid: str, path: str, first: int, last: int, *, prompt_bytes: int) -> bytes:
    conversation = f"conversation-{rng.randrange(900)}"
    digest = hashlib.sha256(f"claude:{conversation}".encode()).hexdigest()
    record: dict[str, object] = {
        "agent_id": {"tool": "claude", "id": conversation, "model": "claude-opus-4-6"},
        "human_author": "Alice Smith <alice@example.com>",
    }
    metadata: dict[str, object] = {"schema_version": "authorship/3.0.0", "git_ai_version": "1.6.24"}
    metadata |= {"base_commit_sha": oid, "prompts": {}}
    if prompt_bytes:
        key = digest[:16]
        words = "please make the test pass and say why; "
        text = (words * (prompt_bytes // len(words) + 1))[:prompt_bytes]
        record["messages"] = [{"type": "user", "text": text[i : i + 2000]} for i in range(0, prompt_bytes, 2000)]
        record |= dict.fromkeys(("total_additions", "accepted_lines"), last - first + 1)
        record |= dict.fromkeys(("total_deletions", "overriden_lines"), 0)
        metadata["prompts"] = {key: record}
        entry = key
    else:
        entry = f"s_{digest[:14]}::t_{rng.randrange(16**14):014x}"
        metadata["sessions"] = {f"s_{digest[:14]}": record}
    lines = f"{path}\n  {entry} {_ranges(rng, first, last)}\n---\n"
    return (lines + json.dumps(metadata, indent=2)).encode()


def _ranges(rng: random.Random, first: int, last: int) -> str:
    """Most of the lines, in short runs."""
    parts: list[str] = []
    while first <= last:
        end = min(last, first + rng.randrange(6))
        parts.append(str(first) if first == end else f"{first}-{end}")
        first = end + 1 + rng.randrange(1, 3)
    return ",".join(parts)


def _import(path: Path, stream: Iterator[bytes], *options: str) -> None:
    importer = subprocess.Popen(["git", "fast-import", "--quiet", *options], cwd=path, stdin=subprocess.PIPE)
    assert importer.stdin is not None
    with importer.stdin as pipe:
        for part in stream:
            pipe.write(part)
    if importer.wait() != 0:
        raise SystemExit("git fast-import failed")


def _kb(size: int) -> str:
    return f"{size / 1000:,.0f} kB"


if __name__ == "__main__":
    sys.exit(main())
