"""Functions that a change makes harder to read: base against head, matched by name, then by what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from tidegate.verify.debt.complexity import Measured, measure_python, python_functions
from tidegate.verify.debt.foreign import SYNTAX, foreign_functions, measure_foreign
from tidegate.verify.debt.source import Changed, Site, Source

COMPLEX, GROWN_BY, COMPLEX_NEW = 15, 5, 25
SLIGHT = 1.25
"""What was complex before and grew by less than a quarter is as hard to follow as it was."""
LONG, LONGER_BY = 100, 20
MANY = 7
ALIKE = 0.5


def grown_functions(files: Sequence[Changed]) -> Iterator[tuple[Source, Site]]:
    """The functions that grew past a bound, or were added beyond it, each said once."""
    base = _Base(files)
    for one in (one for one in files if one.added):
        for now in functions(one.after, one.added):
            if now.complexity > COMPLEX or now.length > LONG or now.parameters > MANY:
                before = base.find(one, now)
                site = _judge(now, before)
                if site is not None:
                    yield one.after, site


def complexity_added(files: Sequence[Changed]) -> int:
    """Cognitive complexity of the functions that the change touches: head less base. Negative where it fell."""
    total = 0
    for one in (one for one in files if one.added):
        names = _touched(one)
        sides = (functions(source, names=names) if names else () for source in (one.after, one.before))
        now, before = (sum(measured.complexity for measured in side) for side in sides)
        total += now - before
    return total


def functions(
    source: Source, lines: frozenset[int] | None = None, names: Collection[str] | None = None
) -> Iterator[Measured]:
    """The measured functions of a file; only those that hold one of the lines, or have one of the names, if given."""
    if source.python is not None:
        for name, node in python_functions(source):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if (names is None or name in names) and (lines is None or not lines.isdisjoint(span)):
                yield measure_python(source, name, node)
    elif source.language in SYNTAX:
        for name, found in foreign_functions(source, lines):
            if names is None or name in names:
                yield measure_foreign(source, name, found)


# Private


def _touched(one: Changed) -> set[str]:
    """The names of the functions that hold an added line."""
    source, lines = one.after, one.added
    if source.python is None:
        return {name for name, _ in foreign_functions(source, lines)}
    return {
        name
        for name, node in python_functions(source)
        if not lines.isdisjoint(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    }


class _Base:
    """The functions before the change, read when the first is asked for."""

    def __init__(self, files: Sequence[Changed]) -> None:
        self._files = files
        self._read: dict[int, list[Measured]] = {}
        self._bags: dict[tuple[int, int], Counter[str]] = {}

    def find(self, one: Changed, now: Measured) -> Measured | None:
        """The same function before: of that name in the file, else the likest of any changed file."""
        own = [(one.before, before) for before in functions(one.before, names=(now.name,))]
        if len(own) == 1:
            return own[0][1]
        bag = _bag(one.after, now)
        if own:  # overloads
            return max(own, key=lambda pair: _alike(bag, self._bag(*pair)))[1]
        best, found = ALIKE, None
        for other in self._files:
            for before in self._of(other.before):
                if before.length < now.length / 3 and before.complexity < now.complexity / 3:
                    continue
                like = _alike(bag, self._bag(other.before, before))
                if like >= best:
                    best, found = like, before
        return found

    def _of(self, source: Source) -> list[Measured]:
        key = id(source)
        if key not in self._read:
            self._read[key] = list(functions(source))
        return self._read[key]

    def _bag(self, source: Source, measured: Measured) -> Counter[str]:
        key = (id(source), measured.line)
        if key not in self._bags:
            self._bags[key] = _bag(source, measured)
        return self._bags[key]


def _more(before: Measured) -> int:
    """How many parameters are worth a word: one that passes the bound, three where it was passed before."""
    return 1 if before.parameters <= MANY else 3


def _bag(source: Source, measured: Measured) -> Counter[str]:
    lines = (line.strip() for line in source.lines[measured.line : measured.end_line])
    return Counter(line for line in lines if len(line) > 3)


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """The share of the smaller function's lines that the other has too: a function that was cut in two is known."""
    return (one & other).total() / max(1, min(one.total(), other.total()))


def _judge(now: Measured, before: Measured | None) -> Site | None:
    judges: tuple[Callable[[Measured, Measured | None], Site | None], ...] = (_complex, _long, _many)
    return next((site for site in (judge(now, before) for judge in judges) if site is not None), None)


def _complex(now: Measured, before: Measured | None) -> Site | None:
    if before is None:
        if now.complexity <= COMPLEX_NEW:
            return None
        how = f"is new with a cognitive complexity of {now.complexity}"
    elif now.complexity > COMPLEX and now.complexity - before.complexity >= GROWN_BY:
        how = f"grew from a cognitive complexity of {before.complexity} to {now.complexity}"
    else:
        return None
    deep = f", {now.nesting} levels deep" if now.nesting > 3 else ""
    message = f"{now.name} {how}{deep}; beyond {COMPLEX} a function is hard to follow"
    mend = "move what can be named into functions of its own, and return early where a case is done"
    slight = before is not None and before.complexity > COMPLEX and now.complexity < SLIGHT * before.complexity
    return Site("complexity-grown", "low" if slight else "medium", now.line, now.name, message, mend)


def _long(now: Measured, before: Measured | None) -> Site | None:
    if now.length <= LONG or (before is not None and now.length - before.length < LONGER_BY):
        return None
    how = "is new and has" if before is None else f"grew from {before.length} to"
    message = f"{now.name} {how} {now.length} lines of code"
    return Site("function-long", "low", now.line, now.name, message, "move its steps into functions with a name each")


def _many(now: Measured, before: Measured | None) -> Site | None:
    if now.parameters <= MANY or (before is not None and now.parameters - before.parameters < _more(before)):
        return None
    how = "is new and takes" if before is None else f"went from {before.parameters} to"
    message = f"{now.name} {how} {now.parameters} parameters"
    mend = "pass what belongs together as one value"
    return Site("many-parameters", "low", now.line, now.name, message, mend)
