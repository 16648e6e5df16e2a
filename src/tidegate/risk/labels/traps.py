"""What can be fixed without being a defect of the product: words, tests, documents, style, builds, reviews."""

from __future__ import annotations

import re

from tidegate.risk.late import Late


def is_trap(words: str, *, behind: bool = False) -> bool:
    """Whether the thing that is fixed (`words` follow the verb) is none of the product's behaviour.

    With `behind` the words stand before a "fix" that ends the phrase, as in "Small doc fixes". A typo that made
    something crash is a defect all the same.
    """
    phrase = _phrase(_STALE.sub("old", words), behind=behind)
    if not phrase or phrase.lower() in ("type", "types", "long description"):
        return bool(phrase)
    always = _ALWAYS.search(phrase)
    if always:
        return not (_SLIP.match(always[0]) and _BROKE.search(words))
    tokens = _TOKEN.findall(phrase.lower())
    if not tokens:
        return False
    head, rest = tokens[-1], tokens[:-1]
    if head in _HEADS or (_TEST_NAME.match(head) is not None):
        return True
    return head in _FAILURES and any(token in _FIELDS or _TEST_NAME.match(token) for token in rest)


def is_trap_place(title: str) -> bool:
    """Whether the subject ends in a place outside the product: "... in the tests", "... on CI"; what stands in
    parentheses, or after a comma or an "and", is only said beside."""
    return _PLACE.search(_BESIDE.split(title)[0]) is not None


def speaks_of_trap(title: str) -> bool:
    """Whether tests, documents, style or the build are named anywhere in a subject."""
    return _ALWAYS.search(title) is not None


def is_trap_title(subject: str) -> bool:
    """Whether the subject as a whole is about tests, documents, style, builds or dependencies."""
    return _TITLE.match(subject) is not None


def is_vague(before: str, after: str) -> bool:
    """Whether nothing is said but that there are fixes: "Fix", "Minor fixes", "fix it", "bug fixes"."""
    rest = _TOKEN.findall(f"{before} {after}".lower())
    return all(word in _EMPTY for word in rest)


# Private

_TOKEN = Late(r"[a-z_][\w'-]*", re.IGNORECASE)
_CUT = Late(
    r"\.(?!\w)|[,;:(\[—–]| - |\b(?:in|on|for|when|whenever|with|without|of|from|to|by|after|before|if|at|while"
    r"|where|that"
    r"|which|due|caused"
    r"|causing|so|as|because|during|under|using|via|not|being|is|are|was|again|since|against|between|into|per|and"
    r"|&)\b",
    re.IGNORECASE,
)
_ARTICLES = Late(
    r"^(?:[\s:'\"`*-]|(?:the|a|an|some|several|more|few|minor|small|another|all|various|remaining|many|other|last|my"
    r"|our|its|up|also|two|three|one|for|of|to|in|on)\b)+",
    re.IGNORECASE,
)


def _phrase(words: str, *, behind: bool) -> str:
    if behind:
        parts = _CUT.split(words)
        return parts[-1].strip()
    start = _ARTICLES.match(words)
    plain = words[start.end() :] if start else words
    cut = _CUT.search(plain)
    if cut and cut.start() == 0:
        return ""
    return (plain[: cut.start()] if cut else plain).strip()[:120]


# Nothing called so is ever the product's own fault, wherever in the phrase it stands.
_ALWAYS = Late(
    r"(?<![\w-])(?:typos?|typographical|mis-?s?pell\w*|spelling|grammar|grammatical|wording|capitali[sz]ation"
    r"|punctuation"
    r"|white-?spaces?|trailing (?:space|newline|comma)s?|indent(?:s|ed|ing|ation)?|code ?style|styling issues?"
    r"|formatting|linters?|lint(?:s|ing)?"
    r"|eslint|tslint|jshint|jslint|pylint|flake8|pyflakes|pep-?8|pep-?257|pydocstyle|pycodestyle|ruff|mypy|pyright"
    r"|clippy|rubocop"
    r"|checkstyle|spotless|spotbugs|findbugs|sonar\w*|golint|golangci\w*|go ?vet|gofmt|rustfmt|cargo fmt|prettier"
    r"|isort|black|shellcheck"
    r"|cppcheck|clang-?(?:tidy|format)|codespell|hadolint|yamllint|markdownlint|pre-?commit|docs?|documentation"
    r"|docstr(?:ing)?s?"
    r"|javadocs?|jsdocs?|godocs?|rustdocs?|kdocs?|doxygen|sphinx|readme(?:\.\w+)?|change-?logs?|changes\.(?:md|txt"
    r"|rst)|news(?:file)?|history\.(?:md|rst)"
    r"|contributing(?:\.md)?|\w+\.md|\w+\.rst|ci|travis(?:-?ci)?|circle-?ci|appveyor|jenkins\w*|github (?:actions?"
    r"|workflows?)|gitlab-ci|codecov"
    r"|coveralls|dependabot|renovate|flaky|flakes?|flakiness|unit-?tests?|e2e|test ?suites?|test ?cases?"
    r"|merge (?:conflicts?|errors?|issues?|mistakes?|problems?)"
    r"|conflicts?|review (?:comments?|feedback|remarks?|nits?)|pr (?:comments?|feedback|review)|code review|nits?"
    r"|nitpicks?|copyrights?|licen[cs]e headers?|spdx"
    r"|deprecation warnings?|compil(?:er|ation) warnings?|build warnings?|unused (?:imports?|variables?|vars?"
    r"|parameters?|arguments?)|import order\w*|type hints?|type annotations?"
    r"|todos?|fixmes?|editorconfig|gitignore|codeowners|pom\.xml|tox\.ini|setup\.cfg|makefiles?|cmake\w*"
    r"|dockerfiles?|benchmarks?|fuzz(?:er|ers)?|doctests?"
    r"|build (?:errors?|failures?|issues?|problems?|breaks?|breakage|scripts?|systems?)|translations?|pot files?"
    r"|release (?:notes?|scripts?|workflow|process|date)|version (?:number|bump|string)s?"
    r"|rebase|after rebase|bad merge|botched merge|mis-?merge|nightly|example code|examples?|issue templates?"
    r"|tests?/\S+|docs?/\S+|jest|vitest|cypress|playwright|snapshots?|broken links?|dead links?|urls? in docs"
    r"|type (?:errors|checks?|checking|checker)|(?:variable|var|function|method|class|parameter|param|argument|file"
    r"|test) names?"
    r"|naming|[ry]docs?|mkdocs|clippies|error[- ]?prone|compil\w+ (?:error|failure|issue|problem|warning|break)\w*"
    r"|(?:outdated|broken|dead|wrong|old) (?:urls?|links?)|cargo-deny|warnings? (?:c[0-9]+|about|from"
    r"|-w\S+))(?![\w-])",
    re.IGNORECASE,
)
_SLIP = Late(r"typo|mis-?s?pell|spelling|whitespace|indent", re.IGNORECASE)
_STALE = Late(r"\bout[- ]of[- ]date\b", re.IGNORECASE)
_BROKE = Late(
    r"\b(?:caus\w+|lead\w*|result\w*|break\w*|broke|crash\w*|regression|raised|prevent\w*|made) |\b\w+(?:Error"
    r"|Exception)\b"
    r"|\bin (?:condition|keyword|option|query|comparison)\b",
)
# What the phrase ends in. "Fix test client" is about a client, "Fix client test" about a test.
_HEADS = frozenset(
    """test tests testing spec specs build builds compile compilation compiling comment comments style styles
    warning warnings warn warns merge version versions dependency dependencies deps requirements lockfile lock-file
    import-order
    name-typo link links example examples sample samples demo demos coverage workflow workflows pipeline pipelines
    fixture fixtures mock mocks mocking assertion assertions nit nits review feedback format licence license author
    authors credits badge badges screenshot screenshots naming imports docblock docblocks header-comment annotations
    hints types typing stubs changelog changelogs todo todos metadata assert asserts expectation expectations
    contributors conflicts merges gofmt fmt vet tidy travis tox venv website site blog homepage tutorial guide faq
    manpage testdata golden goldens""".split()
)
_TEST_NAME = Late(r"^(?:test_\w+|\w+_tests?|(?-i:[A-Z]\w+Tests?)|test-\w+|\w+-tests?|\w{3,}test(?:s|case)?)$")
_FIELDS = frozenset(
    """test tests testing spec specs unittest unittests integration ci lint style build builds compile compilation
    compiler docs doc documentation merge nightly gcc clang msvc javac rustc typing type-check typecheck tsc typescript
    packaging release deploy workflow coverage example examples benchmark import imports macos-build windows-build
    cmake make autoconf configure""".split()
)
_FAILURES = frozenset(
    """failure failures error errors issue issues problem problems break breakage breakages breaks fail fails failing
    bug bugs glitch mistake mistakes warning warnings complaint complaints path paths name names run runs job jobs
    script scripts config configuration setup command commands data target targets file files requirements env
    environment matrix step steps expectation expectations output message messages logic code cases
    case order""".split()
)
_EMPTY = frozenset(
    """a an the some minor small more few various several misc miscellaneous other fix fixes fixed fixing bug bugs
    bugfix bugfixes hotfix it this that again quick tiny little last and for of things stuff issue issues problem
    problems error errors oops another one trivial simple up try trying attempt hopefully final really please me now
    finally in""".split()
)
_BESIDE = Late(r" \((?!#)|, | and ")
_WHERE = (
    r"(?:unit[- ]|integration[- ]|the |our |some |all |e2e |of |its |[\w.-]+ ){0,3}"
    r"(?:tests?|specs?|test ?suites?|test ?cases?|docs?|documentation|readme(?:\.\w+)?|change-?logs?|comments?"
    r"|docstrings?|javadocs?|ci|travis"
    r"|examples?|benchmarks?|\w*_?tests?\.\w{1,4}|test_\w+(?:\.py)?|\w+\.(?:md|rst|adoc)|doctests?|makefile"
    r"|pom\.xml|app-?veyor|jenkins|github actions|release notes|tutorial|translations?|faq)"
)
_PLACE = Late(rf"\b(?:in|on|for|of|from|within|during|under)\s+{_WHERE}\s*(?:\(?#?[0-9]*\)?|\.)?\s*$", re.IGNORECASE)
_TITLE = Late(
    r"\[?(?:docs?|documentation|tests?|testing|ci|cd|build|lint|style|chore|typos?|change-?logs?|readme(?:\.\w+)?"
    r"|release|examples?|website|i18n|l10n"
    r"|deps|bench(?:marks?)?|travis(?:-ci)?|appveyor|github|gha|workflows?|meson|cmake|makefile|packaging|docker"
    r"|dockerfile|tox|mypy|tst|bld|sty|sphinx|maint|pre-commit"
    r"|tests?/\S+|docs?/\S+|wiki|nit|minor typo|cosmetic\w*|whitespace|translations?)(?:\([^)]{0,60}\))?(?:\]"
    r"|\s*[:/])"
    r"|(?:add|adds|added|update|updates|updated|improve|improved|write|extend|adjust|remove|removed|more|new|enable"
    r"|skip|disable|mark|refactor|clean ?up|rewrite"
    r"|correct|speed up|stabili[sz]e|de-?flake|deflake|unskip|split|move"
    r"|simplify)\s+(?:\S+\s+){0,3}?(?:unit-?)?(?:tests?|specs?|test-?cases?|docs?|documentation|docstrings?|readme"
    r"|comments?|change-?logs?|ci|examples?|changes|news)\b"
    r"|(?:update|merge|edit|create|delete) \S+\.(?:md|rst|txt|adoc|ya?ml)\b"
    r"|(?:address|apply|incorporate|respond to|handle|resolve|fix(?:e[sd])?)\s+(?:\S+\s+){0,3}?(?:review"
    r"|reviewer\w*|pr|feedback|merge|conflicts?|nits?)\b(?! (?:creation|list|page|api))"
    r"|(?:address|apply)\s+(?:\S+\s+){0,3}?(?:comments?|suggestions?|remarks?)\b"
    r"|(?:typo|typos|spelling|grammar|cosmetic\w*|whitespace|pep8|pyflakes|flake8|lint|pylint|checkstyle|style"
    r"|formatting|documentation|docs?|javadoc)(?:\s+(?:fix\w*|correct\w*|clean\w*|nit\w*|update\w*|improve\w*"
    r"|change\w*))?\s*(?:$"
    r"|\b(?:in|for|of|on|and)\b|,)",
    re.IGNORECASE,
)
