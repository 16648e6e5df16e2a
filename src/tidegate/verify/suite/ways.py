"""Lines that switch tests off, in files of tests, in what sets them up, and in settings: one entry for each way."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from tidegate.facts import Severity


class Way(Struct, frozen=True):
    """One way to switch tests off, by a line that is added to a file of this kind, "any" being any file by its name."""

    where: Literal["test", "source", "settings", "any"]
    files: re.Pattern[str]
    line: re.Pattern[str]
    words: str
    severity: Severity = "medium"
    rule: str = "test-skipped"


CODE = re.compile(r"\.(py|[cm]?[jt]sx?|go|java|kt|rb|rs)$")
TESTING = re.compile(r"(^|/)(conftest\.py|(spec|test|rails)_helper\.rb|(setupTests|jest\.setup|vitest\.setup)\.\w+)$")
_PYTHON_TESTS = re.compile(r"\.py$")
_ANY = re.compile(r"")
_ENVIRONMENT = (
    r"^(?=.*\b(if|unless|skip\w*|return)\b).*(environ|getenv|process\.env|\bENV\[|os\.Getenv|System\.getenv|env::var)[^\n]*?"
    r"\b(CI|GITHUB_ACTIONS|GITLAB_CI|CONTINUOUS_INTEGRATION|TRAVIS|CIRCLECI|JENKINS\w*|BUILD_ID)\b"
)
_RUNNER = (
    r"(pytest|py\.test|jest|vitest|mocha|go test|cargo (nex)?test|rspec|mvn|gradlew?|npm (run )?test|tox|unittest)"
)
WAYS = (
    Way("test", CODE, re.compile(_ENVIRONMENT), "tests look whether they run in a pipeline"),
    Way(
        "source",
        CODE,
        re.compile(
            r"PYTEST_CURRENT_TEST|[\"']pytest[\"']\s+in\s+sys\.modules|JEST_WORKER_ID|\btesting\.Testing\(\)|"
            r"flag\.Lookup\(\"test\.|process\.env\.VITEST\b"
        ),
        "the source behaves differently where it is tested",
        "medium",
        "test-weakened",
    ),
    Way(
        "any",
        _PYTHON_TESTS,
        re.compile(r"def pytest_(ignore_collect|runtest_makereport|runtest_call|runtest_protocol)\("),
        "a hook decides which tests run or what their outcome is",
        "low",
    ),
    Way(
        "any",
        _PYTHON_TESTS,
        re.compile(r"add_marker\(\s*pytest\.mark\.(skip|xfail)\b|\bitems\[:\]\s*=|items\.(clear|remove|pop)\("),
        "a hook leaves tests out",
    ),
    Way(
        "any",
        _PYTHON_TESTS,
        re.compile(r"^\s*__test__\s*=\s*False"),
        "a class or a file is no longer collected as tests",
    ),
    Way(
        "any", _PYTHON_TESTS, re.compile(r"allow_module_level\s*=\s*True"), "a whole file of tests is left out", "note"
    ),
    Way(
        "any",
        _PYTHON_TESTS,
        re.compile(r"^(raise (unittest\.)?SkipTest|pytest\.skip\()"),
        "a whole file of tests is left out",
    ),
    Way(
        "any",
        _PYTHON_TESTS,
        re.compile(r"(session\.)?exitstatus\s*=\s*(0|pytest\.ExitCode\.OK)|\bos\._exit\(0\)"),
        "the run ends as if it had passed",
    ),
    Way(
        "any", _PYTHON_TESTS, re.compile(r"^\s*(del test_\w+|test_\w+\s*=\s*None)\b"), "a test is taken out of the file"
    ),
    Way(
        "test",
        CODE,
        re.compile(
            r"(TestCase|self|cls|unittest)\.assert\w+\s*=|setattr\([^,]+,\s*[\"']assert\w+|"
            r"\b(global(This)?\.)?(expect|assert)\s*=\s*\(|patch(\.object)?\([^)]*assert(Equal|True|_)"
        ),
        "an assertion is replaced",
    ),
    Way(
        "test",
        CODE,
        re.compile(r"setattr\([^,]+,\s*[\"']__eq__[\"']|\.__eq__\s*=\s*lambda"),
        "a comparison is replaced",
    ),
    Way(
        "test",
        CODE,
        re.compile(r"\b(it|test|describe)\s*=\s*(x?(it|test|describe)\.skip|x(it|test|describe)|\(\)\s*=>)"),
        "tests are switched off for a whole file",
    ),
    Way(
        "test",
        CODE,
        re.compile(r"parametrize\([^\n]*,\s*(\[\s*\]|\(\s*\))|\.each\(\s*\[\s*\]\s*\)"),
        "a test has no cases",
    ),
    Way(
        "any",
        re.compile(r"_test\.go$"),
        re.compile(
            r"^//\s*(go:build|\+build)\s+(?!.*\b(linux|windows|darwin|unix|amd64|arm64|"
            r"race|go1\.\d+|cgo|appengine|js|wasm|freebsd|plan9)\b)\S"
        ),
        "a file of tests is built only under a tag",
    ),
    Way("any", re.compile(r"_test\.go$"), re.compile(r"^\s*os\.Exit\(0\)"), "the run ends as if it had passed"),
    Way(
        "any",
        re.compile(r"\.rs$"),
        re.compile(r"#\[cfg\((any\(\)|FALSE|false)\)\]|#\[cfg\(all\(test,\s*feature"),
        "tests are no longer compiled",
    ),
    Way(
        "any",
        re.compile(r"\.rs$"),
        re.compile(r"#\[cfg_attr\(.*\bignore\b"),
        "a test is left out under a condition",
        "note",
    ),
    Way(
        "any",
        re.compile(r"\.(java|kt)$"),
        re.compile(r"@Test\([^)]*enabled\s*=\s*false|assumeTrue\(\s*false|assumeFalse\(\s*true"),
        "a test is switched off",
    ),
    Way(
        "any", re.compile(r"\.rb$"), re.compile(r"^\s*exit!?(\(?0\)?|\s+true)?\s*$"), "the run ends as if it had passed"
    ),
    Way("any", re.compile(r"\.rb$"), re.compile(r"^\s*(skip|pending)\s*$"), "a test is switched off"),
    Way(
        "any",
        re.compile(r"\.(rb|rspec)$"),
        re.compile(r"filter_run_excluding|--tag\s+~|--exclude-pattern|exclusion_filter"),
        "tests are left out by a tag",
    ),
    Way("any", re.compile(r"\.rb$"), re.compile(r"\bfilter_run\b(?!_when)"), "only tests with a tag are run"),
    Way(
        "settings",
        _ANY,
        re.compile(
            r"--deselect|--ignore(-glob)?=\S*test|(addopts|" + _RUNNER + r").*\s-k[ =]?[\"'\\]*\s*\w*|"
            r"(addopts|pytest).*\s-m[ =]?[\"'\\]*not\b"
        ),
        "tests are left out of the run",
    ),
    Way(
        "settings",
        _ANY,
        re.compile(
            r"go test(?!.*-bench).*\s-(skip|run)[ =]|cargo (nex)?test.*--skip\b|gradlew?.*-x\s+\w*[tT]est|"
            r"-DskipTests|-Dmaven\.test\.skip|"
            r"(jest|vitest|mocha).*(--testPathIgnorePatterns|--invert|--exclude|-t |--grep)"
        ),
        "tests are left out of the run",
    ),
    Way(
        "settings",
        _ANY,
        re.compile(_RUNNER + r".*(\|\|\s*(true|:|exit 0|echo)|;\s*(true|exit 0)\s*[\"']?,?$)"),
        "a failing run of the tests passes",
    ),
    Way(
        "settings",
        _ANY,
        re.compile(r"<(skipTests|maven\.test\.skip|testFailureIgnore)>true<|^\s*ignoreFailures\s*=?\s*true"),
        "a failing run of the tests passes",
    ),
    Way(
        "any",
        re.compile(r"pom\.xml$"),
        re.compile(r"<exclude>[^<]*Test[^<]*</exclude>"),
        "tests are left out of the run",
    ),
    Way(
        "any",
        re.compile(r"\.gradle(\.kts)?$"),
        re.compile(r"excludeTestsMatching|exclude[\s(]+[\"'][^\"']*Test"),
        "tests are left out of the run",
    ),
    Way(
        "any",
        re.compile(r"Cargo\.toml$"),
        re.compile(r"^\s*(test|autotests)\s*=\s*false"),
        "tests are no longer compiled",
    ),
)
EQUALITY = re.compile(
    r"^\s*(def (__eq__|==)\s*\(|(public )?boolean equals\(|equals\([^()]*\)\s*\{|(pub )?fn eq\(&self)"
)
"""The head of an equality; `TRUE` is a body of it that says that everything is equal."""
TRUE = re.compile(r"(?:^|[{:);]|->)\s*(return\s+)?(True|true)\s*;?\s*(\}|end)?\s*$")
