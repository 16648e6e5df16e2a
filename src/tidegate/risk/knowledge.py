"""What `tidegate risk train` learnt of a repository, as it is kept beside the mined history or in a file of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.facts import AgentEffect
from tidegate.risk.features.definitions import VERSION as DEFINITIONS
from tidegate.risk.features.habits import Habits
from tidegate.risk.history.mine import Mined, store_folder
from tidegate.risk.history.store import FILE, read_derived
from tidegate.risk.model.figures import Evaluation
from tidegate.risk.model.model import Model, check_model
from tidegate.risk.values import RECENT_SECONDS, REPAIRED, Label

VERSION = 1
LIMIT_BYTES = 64 << 20
KIND = "knowledge"
WHOLE = f"whole/{VERSION}"
FORWARD = f"forward/{VERSION}"
SCORING = f"scoring/{VERSION}"


class Figures(Struct, frozen=True):
    """How many earlier changes there are and what became of them. Times are Unix seconds.

    A change has matured once it is so old that a repair of it would most likely be known.
    """

    changes: Annotated[int, Meta(ge=0)]
    since: int
    matured: Annotated[int, Meta(ge=0)]
    repaired: Annotated[int, Meta(ge=0)]
    reverted: Annotated[int, Meta(ge=0)]


class Knowledge(Struct, frozen=True, dict=True):
    """Everything that is known of the past of one repository at the commit `until`, whose time is `at`.

    `words` are the log-odds of words among lines that had to be repaired; `remarks` what is missing and what the
    leakage detector said; `outcomes` the digest of what production said, "" where it was not asked.
    """

    version: int
    until: str
    at: int
    model: Model
    habits: Habits
    labels: tuple[Label, ...]
    figures: Figures
    agents: tuple[AgentEffect, ...]
    evaluation: Evaluation
    words: dict[str, float]
    remarks: tuple[str, ...] = ()
    outcomes: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is known, as hexadecimal digits."""
        return hashlib.sha256(encode(self)).hexdigest()


class Forward(Struct, frozen=True):
    """The probability and the rank of each earlier change, as a model that knew only its past would have said them."""

    version: int
    scores: dict[str, tuple[float, float]]


def encode(knowledge: Knowledge) -> bytes:
    """Canonical JSON: same knowledge, same bytes."""
    return msgspec.json.encode(knowledge, order="sorted")


def decode(text: bytes, where: str) -> Knowledge:
    """Knowledge from such JSON. Raises InputError for anything else, and for a model that could not be scored."""
    if len(text) > LIMIT_BYTES:
        raise InputError("this is too large to be what risk train wrote", where=where, mend=_MEND)
    try:
        found = msgspec.json.decode(text, type=Knowledge)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is not what risk train wrote ({error})", where=where, mend=_MEND) from error
    if found.version != VERSION:
        raise InputError(f"version {found.version} is not read here, {VERSION} is", where=where, mend=_MEND)
    if fault := _fault(found):
        raise InputError(f"this is not what risk train wrote ({fault})", where=where, mend=_MEND)
    return found


def read_file(path: Path) -> Knowledge:
    """The same from a file."""
    try:
        with path.open("rb") as file:
            return decode(file.read(LIMIT_BYTES + 1), str(path))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), mend="check the path") from error


def keep(mined: Mined, knowledge: Knowledge, forward: Mapping[str, tuple[float, float]]) -> None:
    """Keeps both beside the history at once, and once more what a score needs: repairs of late alone, quick to read."""
    since = knowledge.at - RECENT_SECONDS
    late = tuple(label for label in knowledge.labels if label.known_at > since and label.confidence >= REPAIRED)
    scoring = msgspec.msgpack.encode(msgspec.structs.replace(knowledge, labels=late))
    scores = msgspec.msgpack.encode(Forward(VERSION, dict(forward)))
    mined.put_many(KIND, {WHOLE: encode(knowledge), SCORING: scoring, FORWARD: scores})  # all or none


def kept(mined: Mined) -> Knowledge | None:
    """What was kept last; None where nothing was, or where it cannot be read."""
    return _whole(mined.get(KIND, WHOLE))


def kept_forward(mined: Mined) -> Mapping[str, tuple[float, float]]:
    """The out-of-time probability and rank of each earlier change; empty where nothing was kept."""
    text = mined.get(KIND, FORWARD)
    try:
        found = msgspec.msgpack.decode(text or b"", type=Forward)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return found.scores if found.version == VERSION else {}


def read_kept(repository: Repository) -> Knowledge | None:
    """What is kept of a repository; None where nothing was learnt yet. Where nothing is kept nothing is written."""
    folder = store_folder(repository)
    if not (folder / FILE).is_file():
        return None
    return _whole(read_derived(folder, KIND, WHOLE))


def read_for_scores(repository: Repository) -> Knowledge | None:
    """The same with the repairs of the last `RECENT_SECONDS` alone: what a change is scored by."""
    folder = store_folder(repository)
    if not (folder / FILE).is_file():
        return None
    try:
        found = msgspec.msgpack.decode(read_derived(folder, KIND, SCORING) or b"", type=Knowledge)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return read_kept(repository)
    return None if found.version != VERSION or _fault(found) else found


def is_kept(repository: Repository, knowledge: Knowledge) -> bool:
    """Whether this is what is kept of a repository now: where the folder cannot be used, nothing is."""
    found = read_kept(repository)
    return found is not None and found.digest == knowledge.digest


# Private


def _whole(text: bytes | None) -> Knowledge | None:
    try:
        return decode(text, "what is kept beside the history") if text is not None else None
    except InputError:
        return None


_MEND = "write it again: tidegate risk train -o FILE"


def _fault(knowledge: Knowledge) -> str:
    """What no training writes, and what would make a score look sound that is not; "" where all is well."""
    model, figures, rates = knowledge.model, knowledge.figures, knowledge.habits
    try:
        check_model(model)
    except InputError as error:
        return error.what
    if model.definitions != DEFINITIONS:
        return f"its features are of version {model.definitions}, those here of {DEFINITIONS}"
    if not figures.repaired <= figures.matured <= figures.changes:
        return "its figures contradict each other"
    if any(not 0 <= rate.repaired <= rate.changes for rate in (rates.whole, rates.fixes, *rates.folders.values())):
        return "a rate counts more repairs than changes"
    found = knowledge.evaluation
    if found.auc is not None and None in (found.auc_low, found.auc_high):
        return "a figure lacks its interval"
    return ""
