"""reach_of: what can feel a change of a file, a symbol, or the symbols on some lines, at HEAD."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tidegate.agent.mcp.arguments import ReachArguments
from tidegate.agent.mcp.ask import Scene, checked_path
from tidegate.agent.mcp.values import Entry, Felt, ReachShown, ServiceFelt, Test
from tidegate.errors import InputError
from tidegate.provenance.who import parse_place
from tidegate.reach.answer import Completeness, ReachAnswer, ReachedSymbol, ReachedTest
from tidegate.reach.index import read_index
from tidegate.reach.journey import read_reach, store_folder
from tidegate.reach.store import open_store
from tidegate.reach.symbols import Definition

MOST_SYMBOLS = 4
T = TypeVar("T")


def reach_of(scene: Scene, asked: ReachArguments) -> ReachShown:
    """Most likely first. Raises InputError for a file, symbol or lines that are not there."""
    path = checked_path(asked.path)
    if asked.symbol and asked.lines:
        raise InputError("a symbol and lines name two things", mend="keep one of them")
    if not asked.lines:
        return _shown([_read(scene, f"{path}:{asked.symbol}" if asked.symbol else path)])
    names = _on_lines(scene, path, asked.lines)
    if not names:
        remark = f"no symbol stands on these lines: this is the answer for all of {path}"
        return _shown([_read(scene, path)], remark)
    left = f"{len(names) - MOST_SYMBOLS} more symbols stand on these lines" if len(names) > MOST_SYMBOLS else ""
    return _shown([_read(scene, f"{path}:{name}") for name in names[:MOST_SYMBOLS]], left)


# Private


def _read(scene: Scene, question: str) -> ReachAnswer:
    return read_reach(question, scene.repository, environment=scene.environment)


def _on_lines(scene: Scene, path: str, lines: str) -> list[str]:
    """The innermost symbols that overlap these lines at HEAD, in file order."""
    place = parse_place(f"{path}:{lines}")
    blob = next(iter(scene.repository.read_blobs([f"HEAD:{path}"])))
    count = len(blob.content.splitlines())
    if blob.kind == "blob" and place.last > count:
        raise InputError(f"the file has {count} lines, not {place.last}", where=path, mend="lines count at HEAD")
    with open_store(store_folder(scene.repository)) as store:
        file = read_index(scene.repository, scene.repository.resolve("HEAD", "tree"), store).read([path]).get(path)
    defined = [one for one in file.definitions if one.name] if file else []
    there = [one for one in defined if one.line <= place.last and one.end_line >= place.first]
    inner = [one for one in there if not any(_within(other, one) for other in there)]
    return list(dict.fromkeys(one.name for one in sorted(inner, key=lambda one: one.line)))


def _within(one: Definition, other: Definition) -> bool:
    same = (one.line, one.end_line) == (other.line, other.end_line)
    return not same and other.line <= one.line and one.end_line <= other.end_line


def _shown(answers: Sequence[ReachAnswer], remark: str = "") -> ReachShown:
    verdicts = {answer.verdict for answer in answers}
    worst = max((answer.completeness for answer in answers), key=lambda one: one.unresolved_share)
    notes = [*([remark] if remark else []), *_doubts(worst), *(note for answer in answers for note in answer.notes)]
    services = _merged((one for answer in answers for one in answer.services), lambda one: one.service.name)
    entries = _merged((one for answer in answers for one in answer.entry_points), lambda one: f"{one.kind} {one.name}")
    return ReachShown(
        asked=tuple(answer.asked for answer in answers),
        verdict="some" if "some" in verdicts else "unknown" if "unknown" in verdicts else "none",
        owners=tuple(dict.fromkeys(owner for answer in answers for owner in answer.owners)),
        services=tuple(
            ServiceFelt(one.service.name, one.service.tier, one.service.owner, _figure(one.probability), one.reason)
            for one in services
        ),
        entry_points=tuple(Entry(one.kind, one.name, str(one.handler), _figure(one.probability)) for one in entries),
        tests=tuple(
            map(_test, _merged((one for answer in answers for one in answer.tests), lambda one: str(one.symbol)))
        ),
        reached=tuple(
            map(_felt, _merged((one for answer in answers for one in answer.reached), lambda one: str(one.symbol)))
        ),
        unresolved_share=round(worst.unresolved_share, 3),
        unknown=tuple(dict.fromkeys(notes)),
    )


def _merged(found: Iterable[T], key: Callable[[T], str]) -> list[T]:
    """Each thing once, as the answer has it in which it is likeliest; the likeliest first."""
    best: dict[str, T] = {}
    for one in found:
        name = key(one)
        if name not in best or _likely(one) > _likely(best[name]):
            best[name] = one
    return sorted(best.values(), key=lambda one: (-_likely(one), key(one)))


def _likely(one: object) -> float:
    probability: float = getattr(one, "probability")  # noqa: B009 all four have it
    return probability


def _figure(probability: float) -> float:
    """Two digits that count: what is small is not nothing."""
    return float(f"{probability:.2g}")


def _felt(one: ReachedSymbol) -> Felt:
    return Felt(str(one.symbol), one.line, _figure(one.probability), one.evidence == "recorded")


def _test(one: ReachedTest) -> Test:
    return Test(str(one.symbol), _figure(one.probability), one.evidence == "recorded")


def _doubts(done: Completeness) -> list[str]:
    said = [f"{path} could not be read: {reason}" for path, reason in done.unread[:5]]
    if done.unread_total > 5:
        said.append(f"{done.unread_total - 5} more files could not be read")
    said += [f"{count} files in {language} are not understood" for language, count in done.unsupported[:5]]
    return [*said, *([done.truncated] if done.truncated else [])]
