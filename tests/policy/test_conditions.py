"""What a condition may say, and how it is answered."""

from __future__ import annotations

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.helpers import document_of
from tests.policy.strategies import conditions, realistic_document
from tidegate.errors import InputError
from tidegate.policy.conditions import answer, ask, compile_condition, make_language
from tidegate.policy.document import conform
from tidegate.policy.fields import catalogue

LANGUAGE = make_language({"change.domains[]": ("auth", "secrets", "ci-cd")})

REFUSED = [
    # a missing fact must stay unknown
    ("has(change.kind)", "has() turns a missing fact into false"),
    ("change.title != null", "a fact is never null"),
    ("change.status == 'complete'", "a condition cannot read change.status"),
    ("size(change) == 0", "change is a group of facts, not a value"),
    ("'title' in change", "change is a group of facts, not a value"),
    ("change == change", "change is a group of facts, not a value"),
    ("[change.intent] == []", "change.intent is a group of facts, not a value"),
    ("change[change.title] == ''", "cannot be asked with a computed key"),
    ("change.exists(k, k == 'title')", "change is not a list"),
    ("{'a': change.title}.a == ''", "a condition cannot build a table"),
    ("provenance.ai_share / provenance.unknown_share > 1.0", "divided by what may be zero"),
    ("provenance.ai_share / 0.0 > 1.0", "divided by what may be zero"),
    ("1e999 > provenance.ai_share", "a number is too large"),
    ("type(change.title) == string", "the function type is not for conditions"),
    ("dyn(change.title) == 3", "the function dyn is not for conditions"),
    ("double(change.title) > 0.5", "double asks for a count or number, change.title is a text"),
    # what can never be meant
    ("change.file_total > 3", "there is no fact change.file_total; did you mean change.files_total?"),
    ("chnge.files_total > 3", "did you mean change?"),
    ("change.files.exists(f, f.pth == 'x')", "did you mean change.files[].path?"),
    ("change.intent.ticker == ''", "did you mean change.intent.ticket?"),
    ("change.kind == 'comit'", 'change.kind is never "comit"; did you mean commit?'),
    ("'comit' != change.kind", 'change.kind is never "comit"'),
    ("change.kind in ['range', 'comit']", 'change.kind is never "comit"'),
    ("'auht' in change.domains", 'change.domains is never "auht"; did you mean auth?'),
    ("change.domains.exists(d, d == 'auht')", 'change.domains is never "auht"'),
    ("change.domains == ['auht']", 'change.domains is never "auht"'),
    ("change.breadth == 'three'", 'change.breadth is a count and "three" a text'),
    ("provenance.ai_share > '0.5'", "provenance.ai_share is a number"),
    ("change.breadth * 1.5 > 2.0", "cannot mix whole numbers and fractions"),
    ("change.findings.exists(f, f.severity > 'low')", "is not that of the alphabet"),
    ("repository.shallow < true", "has no order"),
    ("change.title in change.source", "`in` asks for a list"),
    ("change.title.path == ''", "has no field path"),
    ("change.files_total", "the condition is a count, not true or false"),
    ("change.title", "the condition is a text, not true or false"),
    ("change.breadth > 2u", "a value of type uint"),
    ("change.title.matches('a(')", "is not RE2"),
    (r"change.title.matches('(a)\\1')", "is not RE2"),
    ("change.title.matches(change.source)", "must be written out"),
    ("change.files.exists(change, change.path == '')", "hides another name"),
    ("change.files.exists(f, change.files.exists(f, f.added > 1))", "hides another name"),
    ("change.labels.all(a, change.labels.all(b, change.labels.all(c, a == c)))", "nested more than 2 deep"),
    ("change.title.lowerAscii() == ''", "there is no fact or function lowerAscii"),
    ("cel.bind(x, 1, x == 1)", "there is no fact or function"),
    ("now()", "there is no fact or function now"),
    ("change.?title.orValue('') == ''", "not a CEL condition"),
    ("1 +", "not a CEL condition"),
    ("", "not a CEL condition"),
    ("true || " * 400 + "true", "longer than 2000 characters"),
    ("(" * 300 + "true" + ")" * 300, "nested too deeply"),
    ("change.breadth" + " + 1" * 100 + " > 3", "nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:40] for text, _ in REFUSED])
def test_a_condition_that_cannot_be_meant_is_refused_when_it_is_loaded(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        compile_condition(LANGUAGE, text, "tidegate.toml, rule a, condition 1")
    assert message in str(error.value)
    assert str(error.value).startswith("tidegate.toml, rule a, condition 1: ")


ANSWERS = [
    ("change.breadth >= 3", "true"),
    ("change.breadth > 3", "false"),
    ("change.breadth + 1 == 4 && change.breadth % 2 == 1 && -change.breadth == -3", "true"),
    ("change['breadth'] == 3", "true"),
    (".change.breadth == 3", "true"),
    ("change.breadth > provenance.ai_share", "true"),
    ("'auth' in change.domains", "true"),
    ("change.domains == ['auth']", "true"),
    ("change.labels == []", "false"),
    ("size(change.labels) == 2 && change.labels.size() == 2", "true"),
    ("change.labels[0] == 'a'", "true"),
    ("change.labels.exists_one(l, l.startsWith('b'))", "true"),
    ("change.labels.map(l, l + '!') == ['a!', 'b!']", "true"),
    ("change.files.filter(f, f.critical).size() == 0", "true"),
    ("change.title.matches('^Add .*rate')", "true"),
    ("change.title.contains('rate') ? change.breadth == 3 : false", "true"),
    ("timestamp(now) < timestamp('2026-01-02T00:00:00Z')", "true"),
    ("timestamp(now) - timestamp('2026-01-01T00:00:00Z') == duration('12h')", "true"),
    ("timestamp(now).getHours() == 12", "true"),
    ("double(change.breadth) * 0.5 == 1.5", "true"),
    ("true", "true"),
    # what cannot be told is not false
    ("change.labels[7] == 'a'", "unknown"),
    ("10 / change.merges > 1", "unknown"),
    ("change.breadth * 9223372036854775807 > 0", "unknown"),
    ("timestamp(review.opened_at) < timestamp(now)", "unknown"),
    ("reach.symbols > 3", "unknown"),
    ("!(reach.symbols > 3)", "unknown"),
    ("reach.symbols != 3", "unknown"),
    ("reach.services == []", "unknown"),
    ("size(reach.services) == 0", "unknown"),
    ("'x' in reach.services", "unknown"),
    ("reach.services.exists(s, s == 'x')", "unknown"),
    ("reach.services.all(s, s == 'x')", "unknown"),
    ("reach.services.filter(s, true).size() == 0", "unknown"),
    ("[reach.symbols].exists(s, s == 1)", "unknown"),
    ("reach.symbols > 3 ? true : true", "unknown"),
    # but what is missing is absorbed where it cannot matter
    ("reach.symbols > 3 || change.breadth == 3", "true"),
    ("reach.symbols > 3 && change.breadth == 4", "false"),
    ("change.labels.exists(l, l == 'a' || reach.symbols > 3)", "true"),
]


@pytest.mark.parametrize(("text", "truth"), ANSWERS)
def test_a_condition_is_true_false_or_unknown(text: str, truth: str) -> None:
    document = document_of(
        change__breadth=3,
        change__domains=["auth"],
        change__labels=["a", "b"],
        change__title="Add a rate limit",
        now="2026-01-01T12:00:00Z",
        reach={"status": "unknown", "unknowns": [{"path": "reach", "reason": "not collected"}]},
    )
    found = answer(compile_condition(LANGUAGE, text, ""), ask(LANGUAGE, conform(document)))
    assert (found.truth, bool(found.reason)) == (truth, truth == "unknown")


def test_an_unknown_answer_names_the_fact_and_why_it_is_unknown() -> None:
    document = document_of()
    document["provenance"]["unknowns"] = [{"path": "provenance.lines", "reason": "the history is shallow"}]
    document["provenance"]["status"] = "partial"
    compiled = compile_condition(LANGUAGE, "provenance.lines.ai > 3 && change.breadth == 0", "")
    found = answer(compiled, ask(LANGUAGE, conform(document)))
    assert found.reason == "provenance.lines.ai is unknown: the history is shallow"
    assert [(fact.path, fact.known, fact.value) for fact in found.facts] == [
        ("provenance.lines.ai", False, "the history is shallow"),
        ("change.breadth", True, "0"),
    ]


def test_the_facts_of_a_condition_are_shown_short() -> None:
    compiled = compile_condition(LANGUAGE, "change.files.exists(f, f.critical && f.domains.exists(d, d == 'x'))", "")
    found = answer(compiled, ask(LANGUAGE, conform(realistic_document())))
    assert [(fact.path, fact.value) for fact in found.facts] == [
        ("change.files[].critical", "[true, false, false]"),
        ("change.files[].domains", '[["auth", "secrets"], [], ["ci-cd"]]'),
    ]
    long = answer(
        compile_condition(LANGUAGE, "'x' in change.labels", ""),
        ask(LANGUAGE, conform(document_of(change__labels=["label"] * 900))),
    )
    assert long.facts[0].value.endswith(", … 887 more]")
    assert len(long.facts[0].value) < 160


@pytest.mark.parametrize(
    ("count", "text", "reason"),
    [
        (150, "change.files.all(f, change.files.all(g, g.added < 9))", "it takes more than 10,000 steps"),
        (
            10_001,
            "change.files.all(f, f.added < 9)",
            "it goes over 10,001 elements, and a condition may take 10,000 steps",
        ),
    ],
)
def test_a_condition_that_would_take_too_long_is_unknown(count: int, text: str, reason: str) -> None:
    (file, *_) = realistic_document()["change"]["files"]
    files = [{**file, "path": f"f{n}"} for n in range(count)]
    document = document_of(change__files=files, change__files_total=len(files))
    found = answer(compile_condition(LANGUAGE, text, ""), ask(LANGUAGE, conform(document)))
    assert (found.truth, found.reason) == ("unknown", reason)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(condition=conditions(), data=st.data())
def test_a_condition_reads_no_fact_beyond_those_it_names(condition: str, data: st.DataObject) -> None:
    compiled = compile_condition(LANGUAGE, condition, "")
    document = conform(realistic_document())
    before = answer(compiled, ask(LANGUAGE, document)).truth
    read = {path.partition("[")[0] for path in compiled.reading.paths}
    others = [p for p in catalogue() if p.count(".") == 1 and "[" not in p and not _touches(p, read)]
    for path in data.draw(st.lists(st.sampled_from(others), max_size=40)):
        section, _, name = path.partition(".")
        document[section] = {k: v for k, v in document[section].items() if k != name}
    assert answer(compiled, ask(LANGUAGE, document)).truth == before


def _touches(path: str, read: set[str]) -> bool:
    return any(r == path or r.startswith(f"{path}.") for r in read)


def test_documents_are_not_changed_by_questions() -> None:
    document = conform(realistic_document())
    before = copy.deepcopy(document)
    answer(compile_condition(LANGUAGE, "change.files.exists(f, f.added > 3)", ""), ask(LANGUAGE, document))
    assert document == before
