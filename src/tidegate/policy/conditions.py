"""One condition of a rule: compiled once, answered with true, false or unknown for every document.

CEL is the language (https://github.com/google/cel-spec) and Google's own evaluator answers. Inside a condition `&&` and
`||` absorb what is missing as Kleene's logic does: `false && missing` is false. Anything that the evaluator reports as
an error, and anything that is not true or false, is `unknown`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import SECTIONS, to_json
from tidegate.policy.document import why_unknown
from tidegate.policy.reading import NAMED_FUNCTIONS, Reading, Vocabulary, read_condition
from tidegate.policy.syntax import read_tree
from tidegate.policy.verdict import Condition, FactRead, Truth
from tidegate.settings import nearest

LONGEST = 2000
MOST_STEPS = 10_000
"""The evaluator's own limit on the steps of all loops of a condition; it cannot be set."""

LONGEST_VALUE = 120


class Compiled(Struct, frozen=True):
    """A condition that is ready to be answered. `program` is cel-expr-python's Expression."""

    text: str
    reading: Reading
    program: Any


class Language(Struct, frozen=True):
    """What conditions are compiled with: CEL with one variable for every section of the facts, and `now`."""

    environment: Any
    vocabulary: Vocabulary


class Question(Struct, frozen=True):
    """A conformed document, ready for many conditions. `activation` is cel-expr-python's view of it."""

    document: Mapping[str, Any]
    activation: Any


def make_language(vocabulary: Vocabulary) -> Language:
    """The language of conditions, with the texts that some paths can hold."""
    return Language(cel.NewEnv(variables=dict.fromkeys((*SECTIONS, "now"), cel.Type.DYN)), vocabulary)


def compile_condition(language: Language, text: str, where: str) -> Compiled:
    """The condition, ready to be answered. Raises InputError for one that cannot be meant as it stands."""
    if len(text) > LONGEST:
        raise InputError(f"the condition is longer than {LONGEST} characters", where=where, mend="split it")
    try:
        program = language.environment.compile(text)
    except (RuntimeError, UnicodeError) as error:
        what, mend = _explain(str(error))
        raise InputError(what, where=where, mend=mend) from error
    try:
        return Compiled(text, read_condition(read_tree(program.serialize()), language.vocabulary), program)
    except InputError as error:
        raise InputError(error.what, where=where, mend=error.mend) from error


def ask(language: Language, document: Mapping[str, Any]) -> Question:
    """The question that conditions answer. `document` must be conformed."""
    known = {name: document[name] for name in (*SECTIONS, "now") if name in document}
    return Question(document, language.environment.Activation(known))


def answer(compiled: Compiled, question: Question) -> Condition:
    """The condition's answer for a document, with the facts that it read."""
    facts = tuple(_fact(path, question.document) for path in compiled.reading.paths)
    truth, fault = evaluate(compiled, question)
    reason = ""
    if truth == "unknown":
        unknown = [f"{fact.path} is unknown: {fact.value}" for fact in facts if not fact.known]
        reason = "; ".join(unknown) or fault
    return Condition(compiled.text, truth, facts, reason)


def evaluate(compiled: Compiled, question: Question) -> tuple[Truth, str]:
    """The condition's answer alone, and the fault where it is unknown."""
    loops = compiled.reading.loops
    longest = max(_length(path, question.document) for path in loops) if loops else 0
    if longest > MOST_STEPS:
        return "unknown", f"it goes over {longest:,} elements, and a condition may take {MOST_STEPS:,} steps"
    try:
        value = compiled.program.eval(question.activation)
        kind = value.type()
        found = value.value() if kind == cel.Type.BOOL else None
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        if "Iteration budget" in str(error):
            return "unknown", f"it takes more than {MOST_STEPS:,} steps"
        return "unknown", f"it could not be computed: {_one_line(str(error))}"
    if found is True:
        return "true", ""
    if found is False:
        return "false", ""
    if kind == cel.Type.ERROR:
        return "unknown", f"it could not be computed: {_one_line(str(value.value()))}"
    return "unknown", "the result is neither true nor false"


# Private


def _length(path: str, document: Mapping[str, Any]) -> int:
    """The length of the list that a loop goes over, 0 where it is not there or was computed."""
    values = _values(path, document) if path and "[]" not in path else []
    return len(values[0]) if values else 0


def _fact(path: str, document: Mapping[str, Any]) -> FactRead:
    reason = why_unknown(document, path)
    if reason:
        return FactRead(path, reason, known=False)
    values = _values(path, document)
    return FactRead(path, _shown(values if "[]" in path else values[0]), known=True)


def _values(path: str, document: Mapping[str, Any]) -> list[Any]:
    """Every value at a path; more than one only for a path through the elements of a list."""
    if "[]" not in path:
        value: Any = document
        for name in path.split("."):
            if name not in value:
                return []
            value = value[name]
        return [value]
    values: list[Any] = [document]
    for part in path.split("."):
        name = part.partition("[")[0]
        values = [value[name] for value in values if name in value]
        if part.endswith("[]"):
            values = [element for value in values for element in value]
    return values


def _shown(value: Any) -> str:
    """The value's JSON; of a long list the first elements and how many more there are."""
    if isinstance(value, list):
        shown: list[str] = []
        length = 0
        for at, element in enumerate(value):
            text = _shown(element)
            length += len(text) + 2
            if length > LONGEST_VALUE and shown:
                return f"[{', '.join(shown)}, … {len(value) - at} more]"
            shown.append(text)
        return f"[{', '.join(shown)}]"
    text = to_json(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _explain(message: str) -> tuple[str, str]:
    """The compiler's first complaint as one sentence, and what to do about it."""
    if "recursion" in message:
        return "the condition is nested too deeply", "split it into several conditions"
    found = re.search(r"<input>:\d+:(\d+): (.*)", message)
    if not found:
        return f"not a CEL condition: {_one_line(message)}", "docs/policy.md shows what a condition may say"
    column, complaint = int(found[1]), found[2].strip()
    name = re.match(r"undeclared reference to '(.*?)'", complaint)
    if name:
        root, _, _ = name[1].partition(".")
        return f"there is no fact or function {name[1]}", nearest(root, (*SECTIONS, "now", *NAMED_FUNCTIONS))
    return f"not a CEL condition: {complaint} (at character {column})", "docs/policy.md shows what a condition may say"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
