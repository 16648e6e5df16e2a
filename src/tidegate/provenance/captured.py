"""What the recorder of this clone saw while lines were written (`agent/hooks`): E5 for what an agent's own hook said.

Records lie in the git directory, sealed with a key of the person who reads them (`recorder_key.py`): nobody can push
one, and a repository from elsewhere cannot bring one along. What no recorded agent wrote, between two looks at a file,
is a person's by elimination, and that is E4: where anything says that an agent wrote it, it is read as the agent's.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.provenance.accountable import Persons
from tidegate.provenance.recorder_key import RECORDS, read_key, seal
from tidegate.provenance.signatures import Signatures, shown_model
from tidegate.provenance.values import LineClaim, Origin

LIMIT_BYTES = 64 << 20


def read_captured(
    repository: Repository,
    commits: Sequence[Commit],
    persons: Persons,
    signatures: Signatures,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, dict[bytes, tuple[LineClaim, ...]]]:
    """The claims of sealed records about these commits, by commit and path. No process; records without seal are none.

    Of several records of one commit the last holds.
    """
    key = read_key(environment)
    if not key:
        return {}
    wanted = {commit.oid for commit in commits}
    found: dict[str, dict[bytes, tuple[LineClaim, ...]]] = {}
    for record in _records(repository.common_dir / RECORDS, key, wanted):
        oid = record["commit"]
        lines: dict[bytes, list[LineClaim]] = {}
        for claim in record["claims"]:
            origin = replace(_origin(claim["writer"], persons, signatures), commit=oid)
            path = claim["path"].encode("utf-8", "surrogateescape")
            lines.setdefault(path, []).extend(LineClaim(first, last, origin) for first, last in claim["lines"])
        found[oid] = {path: tuple(claims) for path, claims in lines.items()}
    return found


# Private


def _records(file: Path, key: bytes, wanted: set[str]) -> Iterator[dict[str, Any]]:
    """The records of these commits whose seal is right: written by this person's recorder, and so of a known form."""
    try:
        with file.open("rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                return
            content = opened.read(LIMIT_BYTES)
    except OSError:
        return
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        record, tab, said = line.rpartition("\t")
        if not tab or not record.startswith('{"commit": "') or record[12:].partition('"')[0] not in wanted:
            continue
        if hmac.compare_digest(said.encode("utf-8", "surrogateescape"), seal(record, key).encode("ascii")):
            yield json.loads(record)


def _origin(writer: Mapping[str, str], persons: Persons, signatures: Signatures) -> Origin:
    human = persons.text(writer["human"]) if writer.get("human") else ""
    if not writer.get("tool"):
        source = "typed between two looks of the recorder"
        return Origin(writer="human", evidence="E4", human=human, role="author", source=source)
    return Origin(
        writer="ai",
        evidence="E5",
        tool=signatures.tool_of(writer["tool"]),
        model=shown_model(writer.get("model", "")),
        session=writer.get("session", ""),
        prompt=writer.get("prompt", ""),
        human=human,
        role="author",
        source="recorded as it was written",
    )
