"""Attribution of commits, as soon as git has made or rewritten them: a git-ai note, and a sealed record of our own."""

from __future__ import annotations

import json
import os
import time
from hashlib import sha256

from tidegate.agent.hooks import gitdoor
from tidegate.agent.hooks.diffs import CommitDiff, read_diffs
from tidegate.agent.hooks.journal import Run, append_text, has_session, read_runs
from tidegate.agent.hooks.lines import digests
from tidegate.agent.hooks.matching import SOURCE, match
from tidegate.provenance.recorder_key import RECORDS, make_key, seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidegate.agent.hooks.place import Place

    Lines = dict[str, dict[int, dict[str, str]]]

REF = "refs/notes/ai"
OURS = "tidegate_recorder"
"""A key of the note's metadata: a note without it is somebody else's, and stays as it is."""
SCHEMA_VERSION = "authorship/3.0.0"
MOST_COMMITS = 500
TRIES = 3


def attribute(place: Place, made: Mapping[str, Sequence[str]], agent: dict[str, str] | None = None) -> int:
    """Write down who wrote the lines of these commits, as far as it was recorded: how many lines that are.

    `made` names for each commit those that it was made from. `agent` is the agent that git was started by, if any: it
    takes the lines of the first commit that nobody recorded, unless its own hooks record what it writes.
    """
    commits = list(made)[:MOST_COMMITS]
    diffs = read_diffs(place, commits)
    wanted = {line.digest for diff in diffs for file in diff.files.values() for line in file.added}
    if not wanted:
        return 0
    sources = sorted({source for oid in commits for source in made[oid]})
    texts = _read_notes(place, [*commits, *sources])
    runs = read_runs(place, wanted)
    by_source = _source_runs(place, {source: texts[source] for source in sources if source in texts}, wanted)
    only_environment = bool(agent) and not has_session(place, str(agent and agent["tool"]))
    seen = {(line, _key(run.writer)[0]): run.writer for run in runs for line in wanted.intersection(run.lines)}
    notes: dict[str, bytes] = {}
    records: list[str] = []
    count = 0
    for diff in diffs:
        theirs = [run for source in made[diff.oid] for run in by_source.get(source, ())]
        fresh = frozenset([*diff.parents[:1], *made[diff.oid]] or [""])
        lines = {path: match(file, [*theirs, *runs], fresh) for path, file in diff.files.items()}
        _prefer_own(diff, lines, seen)
        if only_environment and agent and diff.oid == commits[0] and not made[diff.oid] and len(diff.parents) < 2:
            _fill(diff, lines, {**agent, "human": gitdoor.person(place)})
        if not any(lines.values()):
            continue
        count += sum(map(len, lines.values()))
        records.append(_record(diff.oid, lines))
        if diff.oid not in texts or _is_ours(texts[diff.oid]):
            notes[diff.oid] = _render(diff.oid, lines)
    _write_notes(place, notes)
    _write_records(place, records)
    return count


# Private


def _prefer_own(diff: CommitDiff, lines: Lines, seen: Mapping[tuple[str, str], dict[str, str]]) -> None:
    """What an earlier note says and the journal too is what the recorder itself saw."""
    for path, file in diff.files.items():
        for line in file.added:
            found = (line.digest, lines[path].get(line.number, {}).get("key", ""))
            if found in seen:
                lines[path][line.number] = seen[found]


def _fill(diff: CommitDiff, lines: Lines, writer: dict[str, str]) -> None:
    for path, file in diff.files.items():
        for line in file.added:
            lines[path].setdefault(line.number, writer)


def _read_notes(place: Place, commits: Sequence[str]) -> dict[str, bytes]:
    names = {f"{REF}:{path}": oid for oid in commits for path in (oid, f"{oid[:2]}/{oid[2:]}")}
    found = gitdoor.read_objects(place, list(names))
    return {oid: text for oid, text in zip(names.values(), found, strict=True) if text is not None}


def _is_ours(text: bytes) -> bool:
    return OURS in _metadata(text)


def _metadata(text: bytes) -> dict[str, object]:
    try:
        found = json.loads(text.partition(b"\n---\n")[2])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _source_runs(place: Place, texts: Mapping[str, bytes], wanted: set[str]) -> dict[str, list[Run]]:
    """What the notes of the commits before a rewrite say, as runs of lines."""
    claims = [(oid, path, ranges, writer) for oid, text in texts.items() for path, ranges, writer in _claims(text)]
    names = list(dict.fromkeys(f"{oid}:{path}" for oid, path, _, _ in claims))
    blobs = {name: digests(blob or b"") for name, blob in zip(names, gitdoor.read_objects(place, names), strict=True)}
    runs: dict[str, list[Run]] = {}
    for oid, path, ranges, writer in claims:
        lines = blobs[f"{oid}:{path}"]
        for first, last in ranges:
            claimed = lines[first - 1 : last]
            if not wanted.isdisjoint(claimed):
                runs.setdefault(oid, []).append(Run(path, SOURCE, writer, claimed))
    return runs


def _claims(text: bytes) -> list[tuple[str, list[tuple[int, int]], dict[str, str]]]:
    """The claims of a note whose session or person the note itself describes. Anything odd is left out."""
    metadata = _metadata(text)
    found: list[tuple[str, list[tuple[int, int]], dict[str, str]]] = []
    path = ""
    for row in text.partition(b"\n---\n")[0].decode("utf-8", "surrogateescape").split("\n"):
        if not row.startswith("  "):
            path = row[1:-1] if len(row) > 1 and row.startswith('"') and row.endswith('"') else row
            continue
        key, _, ranges = row[2:].partition(" ")
        writer = _described(key.split("::", 1)[0], metadata)
        parts = [part.partition("-") for part in ranges.split(",")]
        if writer and path and all(a.isdigit() and (not dash or b.isdigit()) for a, dash, b in parts):
            found.append((path, [(int(a), int(b or a)) for a, _, b in parts if int(a) > 0], writer))
    return found


def _described(key: str, metadata: Mapping[str, object]) -> dict[str, str]:
    for table in ("sessions", "prompts", "humans"):
        records = metadata.get(table)
        record = records.get(key) if isinstance(records, dict) else None
        if isinstance(record, dict):
            return {"key": key, "table": table, "record": json.dumps(record)}
    return {}


def _key(writer: Mapping[str, str]) -> tuple[str, str, object]:
    """The key of a writer in a note, the table that describes it, and its description."""
    if "key" in writer:
        return writer["key"], writer["table"], json.loads(writer["record"])
    if not writer.get("tool"):
        name = writer["human"]
        return f"h_{_sha(name)[:14]}", "humans", {"author": name}
    attributes = {"recorded_by": writer.get("how") or "hooks"}
    if writer.get("prompt"):
        attributes["prompt_digest"] = writer["prompt"]
    session = writer.get("session") or "unknown"
    return (
        f"s_{_sha(writer['tool'] + ':' + session)[:14]}",
        "sessions",
        {
            "agent_id": {"tool": writer["tool"], "id": session, "model": writer.get("model") or "unknown"},
            "human_author": writer.get("human") or None,
            "custom_attributes": attributes,
        },
    )


def _sha(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _render(oid: str, lines: Lines) -> bytes:
    rows: list[str] = []
    tables: dict[str, dict[str, object]] = {"prompts": {}, "humans": {}, "sessions": {}}
    for path, by_line in sorted(lines.items()):
        entries: dict[str, list[int]] = {}
        for number, writer in by_line.items():
            key, table, record = _key(writer)
            tables[table][key] = record
            trace = f"::t_{_sha(key + ':' + oid)[:14]}" if key.startswith("s_") else ""
            entries.setdefault(key + trace, []).append(number)
        if entries:
            rows.append(f'"{path}"' if any(c in path for c in " \t\n") else path)
            rows += [f"  {key} {','.join(_range(r) for r in _ranges(numbers))}" for key, numbers in entries.items()]
    metadata: dict[str, object] = {"schema_version": SCHEMA_VERSION, "base_commit_sha": oid, OURS: 1}
    metadata |= {name: dict(sorted(table.items())) for name, table in tables.items() if table or name == "prompts"}
    above = "\n".join(rows).encode("utf-8", "surrogateescape")
    return above + b"\n---\n" + json.dumps(metadata, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _range(part: tuple[int, int]) -> str:
    return str(part[0]) if part[0] == part[1] else f"{part[0]}-{part[1]}"


def _write_notes(place: Place, notes: Mapping[str, bytes]) -> None:
    """Add the notes to the ref in one commit. Another writer may move the ref in between: then once more."""
    if not notes:
        return
    who = (gitdoor.person(place) or "Tidegate <>").encode("utf-8", "backslashreplace")
    for left in range(TRIES - 1, -1, -1):
        lines = [b"commit %s\ncommitter %s %d +0000\n" % (REF.encode(), who, int(time.time()))]
        lines.append(b"data 27\nRecord who wrote the lines\n\n")
        if _has_ref(place):
            lines.append(b"from %s^0\n" % REF.encode())
        for oid, text in notes.items():
            lines.append(b"N inline %s\ndata %d\n%s\n" % (oid.encode(), len(text), text))
        try:
            gitdoor.ask(place, "fast-import", "--quiet", "--done", stdin=b"".join([*lines, b"done\n"]))
        except gitdoor.GitFailed:
            if not left:
                raise
        else:
            return


def _has_ref(place: Place) -> bool:
    if os.path.exists(f"{place.common}/{REF}"):
        return True
    return bool(gitdoor.ask(place, "for-each-ref", "--count=1", "--format=x", REF))


def _record(oid: str, lines: Lines) -> str:
    """What the recorder itself saw of a commit's lines; what other notes or the environment said is no part of it."""
    claims: list[dict[str, object]] = []
    for path, by_line in sorted(lines.items()):
        writers: dict[str, tuple[dict[str, str], list[int]]] = {}
        for number, writer in by_line.items():
            if "key" not in writer and "how" not in writer:
                writers.setdefault(json.dumps(writer), (writer, []))[1].append(number)
        claims += [{"path": path, "lines": _ranges(numbers), "writer": who} for who, numbers in writers.values()]
    return json.dumps({"commit": oid, "claims": claims})


def _write_records(place: Place, records: Sequence[str]) -> None:
    key = make_key(os.environ)
    if key and records:
        text = "".join(f"\n{record}\t{seal(record, key)}\n" for record in records)
        folder, _, name = f"{place.common}/{RECORDS}".rpartition("/")
        append_text(folder, name, text)
