"""The edits that a tool call makes, by the shape of its arguments.

Agents name their tools in a hundred ways and their arguments in a dozen: a path together with an old and a new text, a
list of such pairs, a whole content, a patch in the `*** Begin Patch` form, or a shell command with a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from tidegate.provenance.transcripts.records import list_of, table_of, text_of
from tidegate.provenance.transcripts.values import Edit, Record

PATHS = (
    "file_path",
    "filePath",
    "path",
    "filepath",
    "absolute_path",
    "target_file",
    "TargetFile",
    "notebook_path",
    "file",
)
OLD = ("old_string", "oldString", "old_str", "oldText", "old_text", "original_content", "search", "TargetContent")
NEW = ("new_string", "newString", "new_str", "newText", "new_text", "new_content", "replace", "ReplacementContent")
WHOLE = ("content", "contents", "file_text", "fileText", "code", "new_source", "text", "CodeContent", "insert_text")
PATCHES = ("patch", "input", "patchText", "patch_text", "diff")
COMMANDS = ("command", "cmd", "script")
DIFF_LIMIT = 4000
"""Texts of more lines are compared as sets of lines; the exact comparison could take long on hostile input."""

_READING = re.compile(r"read|view|grep|glob|search_|list|fetch|todo|think|task|agent", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")
_TARGET = re.compile(r"(?:>>?\s*|\btee\s+(?:-a\s+)?)(['\"]?)([^\s'\"|;&<>]+)\1")


def edits_of_call(name: str, arguments: object) -> tuple[Edit, ...]:
    """What a call of the tool `name` with these arguments would write. Calls that write nothing give nothing."""
    if isinstance(arguments, str) and "*** Begin Patch" in arguments and arguments.lstrip()[:1] != "{":
        return tuple(edits_of_patch(arguments))
    table = table_of(arguments)
    if not table or (_READING.search(name) and not _has_pair(table) and "edit" not in name.lower()):
        return ()
    for key in PATCHES:
        patch = text_of(table.get(key))
        if "*** Begin Patch" in patch:
            return tuple(edits_of_patch(patch))
    command = _command(table)
    if command:
        return tuple(edits_of_command(command))
    path = _first(table, PATHS)
    return _of_table(path, table) if path else _of_list(table)


def replaced(path: str, old: str, new: str) -> Edit:
    """An edit that replaces one text by another. Lines that stand in both are context, not the agent's."""
    return Edit(path, tuple(_new_blocks(_split(old), _split(new))))


def written(path: str, content: str) -> Edit:
    """An edit that writes a whole content, with nothing known of what was there before."""
    lines = _split(content)
    return Edit(path, (tuple(lines),) if lines else ())


def edits_of_patch(patch: str) -> Iterator[Edit]:
    """The edits of a patch in the `*** Begin Patch` form, one for each file."""
    path = ""
    blocks: list[tuple[str, ...]] = []
    block: list[str] = []
    for line in [*patch.split("\n"), "*** End Patch"]:
        if line.startswith("+") and path:
            block.append(line[1:].rstrip("\r"))
            continue
        if block:
            blocks.append(tuple(block))
            block = []
        header = re.match(r"\*\*\* (Add File|Update File|Delete File|Move to|End Patch)(?:: (.*))?", line)
        if header is None:
            continue
        if header[1] == "Move to":
            path = (header[2] or "").strip() or path
            continue
        if path and blocks:
            yield Edit(path, tuple(blocks))
        path, blocks = (header[2] or "").strip(), []


def edits_of_command(command: str) -> Iterator[Edit]:
    """Files that a shell command writes from here-documents, and patches that it applies."""
    if "*** Begin Patch" in command:
        yield from edits_of_patch(command[command.index("*** Begin Patch") :])
        return
    lines = command.split("\n")
    index = 0
    while index < len(lines):
        start = _HEREDOC.search(lines[index])
        index += 1
        if start is None:
            continue
        body: list[str] = []
        while index < len(lines) and lines[index].strip() != start[2]:
            body.append(lines[index])
            index += 1
        rest = lines[index - len(body) - 1]
        target = _TARGET.search(_HEREDOC.sub("", rest))
        if target and body:
            yield Edit(target[2], (tuple(body),))


# Private


def _of_table(path: str, table: Record) -> tuple[Edit, ...]:
    pairs = [
        table_of(p) for key in ("edits", "replacements", "Edits", "ReplacementChunks") for p in list_of(table.get(key))
    ]
    found = [replaced(_first(p, PATHS) or path, _first(p, OLD), _first(p, NEW)) for p in pairs if _has_pair(p)]
    if found:
        return tuple(found)
    if _has_pair(table):
        return (replaced(path, _first(table, OLD), _first(table, NEW)),)
    content = _first(table, WHOLE)
    return (written(path, content),) if content else ()


def _of_list(table: Record) -> tuple[Edit, ...]:
    """Calls whose list of edits names the path in each of them."""
    found: list[Edit] = []
    for key in ("edits", "replacements", "files"):
        for entry in map(table_of, list_of(table.get(key))):
            path = _first(entry, PATHS)
            found += _of_table(path, entry) if path else ()
    return tuple(found)


def _has_pair(table: Record) -> bool:
    return any(isinstance(table.get(key), str) for key in NEW)


def _command(table: Record) -> str:
    for key in COMMANDS:
        value = table.get(key)
        if isinstance(value, str) and ("<<" in value or "*** Begin Patch" in value):
            return value
        if isinstance(value, list):
            joined = "\n".join(part for part in value if isinstance(part, str))
            if "<<" in joined or "*** Begin Patch" in joined:
                return joined
    return ""


def _first(table: Record, keys: Sequence[str]) -> str:
    for key in keys:
        value = table.get(key)
        if isinstance(value, str) and value:
            return value.removeprefix("file://") if key in PATHS else value
        if isinstance(value, list) and key == "new_source" and all(isinstance(v, str) for v in value):
            return "".join(value)
    return ""


def _split(text: str) -> list[str]:
    if not text:
        return []
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _new_blocks(old: list[str], new: list[str]) -> Iterator[tuple[str, ...]]:
    if not old:
        if new:
            yield tuple(new)
        return
    if len(old) + len(new) > DIFF_LIMIT:
        known = set(old)
        yield tuple(line for line in new if line not in known)
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, _, _, first, last in matcher.get_opcodes():
        if tag in ("insert", "replace"):
            yield tuple(new[first:last])
