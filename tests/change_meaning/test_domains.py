"""Which sensitive areas a file belongs to, and why: what is found, and as important, what is not."""

from __future__ import annotations

import time

import pytest

from tests.change_meaning.files import changed
from tidegate.change.attributes import NO_ATTRIBUTES
from tidegate.change.classify import classify_files
from tidegate.change.domain_table import DOMAINS
from tidegate.change.domains import assign_domains, effective_domains
from tidegate.change.values import FileChange
from tidegate.errors import InputError
from tidegate.settings import DomainSetting, Settings

BY_PATH = [
    ("src/auth/login.py", "auth"),
    ("app/models/user_permissions.py", "auth"),
    ("internal/oauth/token.go", "auth"),
    ("certs/server.pem", "secrets"),
    (".env", "secrets"),
    ("deploy/app-secrets.yaml", "secrets"),
    ("lib/crypto/box.rs", "cryptography"),
    ("src/billing/invoice.py", "payments"),
    ("app/services/PaymentService.java", "payments"),
    ("src/privacy/export.py", "compliance-privacy"),
    ("shop/migrations/0002_add.py", "migrations"),
    ("db/migrate/20260101_x.rb", "migrations"),
    ("sql/V12__add_index.sql", "migrations"),
    ("src/repositories/user.py", "data-access"),
    ("main.tf", "infrastructure"),
    ("Dockerfile", "infrastructure"),
    ("k8s/app.yaml", "infrastructure"),
    ("nginx.conf", "network"),
    (".github/workflows/ci.yml", "ci-cd"),
    (".gitlab-ci.yml", "ci-cd"),
    ("tidegate.toml", "ci-cd"),
    ("uv.lock", "dependencies"),
    ("go.mod", "dependencies"),
    ("vendor/x/y.go", "dependencies"),
    ("src/core/locking.go", "concurrency"),
    ("CLAUDE.md", "ai-prompts"),
    (".cursor/rules/a.mdc", "ai-prompts"),
    ("api/service.proto", "public-api"),
]

BY_CONTENT = [
    ("a.py", "    claims = jwt.decode(token, key)", "auth", "jwt.decode"),
    ("a.py", "@login_required", "auth", "@login_required"),
    ("a.java", '  @PreAuthorize("hasRole(1)")', "auth", "@PreAuthorize"),
    ("a.py", 'password = "hunter2-hunter2"', "secrets", "password = ..."),
    ("a.js", "const k = 'AKIAIOSFODNN7EXAMPLQ'", "secrets", "AKIA ..."),
    ("a.py", "h = hashlib.sha256(x)", "cryptography", "hashlib.sha256"),
    ("a.go", "InsecureSkipVerify: true,", "cryptography", "InsecureSkipVerify"),
    ("a.py", "stripe.Charge.create()", "payments", "stripe.Charge"),
    ("a.py", "date_of_birth = f()", "compliance-privacy", "date_of_birth"),
    ("a.py", 'cur.run("ALTER TABLE users ADD x")', "migrations", "ALTER TABLE"),
    ("a.py", 'q = "SELECT id FROM users"', "data-access", "SELECT id FROM"),
    ("a.yaml", "kind: Deployment", "infrastructure", "kind: Deployment"),
    ("a.py", 'host = "0.0.0.0"', "network", "0.0.0.0"),
    ("pyproject.toml", '    "click>=8",', "dependencies", '"click>='),
    ("package.json", '    "left-pad": "^1.0.0",', "dependencies", '"left-pad": "^'),
    ("Cargo.toml", 'serde = "1.0"', "dependencies", 'serde = "1'),
    ("a.py", "subprocess.run(cmd, shell=True)", "code-execution", "subprocess.run"),
    ("a.py", "x = eval(text)", "code-execution", "eval("),
    ("a.ts", "el.innerHTML = x", "code-execution", ".innerHTML ="),
    ("a.go", "\tgo func() {", "concurrency", "go func"),
    ("a.py", "lock = threading.Lock()", "concurrency", "threading.Lock"),
    ("a.ts", "const systemPrompt = `You are`", "ai-prompts", "systemPrompt"),
    ("a.py", '@app.get("/users")', "public-api", "@app.get("),
]

INNOCENT = [
    ("src/author/name.py", ""),
    ("src/authors.py", ""),
    ("docs/auth/guide.md", ""),
    ("tests/auth/test_login.py", "jwt.decode(token)"),
    ("examples/auth/login.py", "jwt.decode(token)"),
    ("README.md", 'password = "hunter2-hunter2"'),
    ("a.py", "# jwt.decode is called elsewhere"),
    ("a.go", "// exec.Command runs it"),
    ("a.js", "const m = re.exec(text)"),
    ("a.py", 'password = os.getenv("DB_PASSWORD")'),
    ("a.py", 'PASSWORD_FIELD = "require_password"'),
    ("a.py", "model.eval()"),
    ("a.py", "SELECT is a word FROM here".lower()),
    ("pyproject.toml", 'requires-python = ">=3.11"'),
    ("pyproject.toml", "line-length = 120"),
    ("package.json", '  "version": "1.2.3",'),
    ("Cargo.toml", 'version = "0.3.0"'),
    ("src/session.py", "session = Session()"),
    ("src/user.py", "user = get_user(token)"),
    ("lib/billing_address.py", ""),
    (".env.example", "A=1"),
]


@pytest.mark.parametrize(("path", "domain"), BY_PATH)
def test_found_by_path(path: str, domain: str) -> None:
    file = _assigned(changed(path))
    reasons = {hit.domain: hit.reason for hit in file.domains}
    assert domain in reasons
    assert reasons[domain].startswith(("path matches `", "the file is vendored"))


@pytest.mark.parametrize(("path", "line", "domain", "quote"), BY_CONTENT)
def test_found_by_a_changed_line(path: str, line: str, domain: str, quote: str) -> None:
    added = {hit.domain: hit for hit in _assigned(changed(path, f"first\n{line}")).domains}
    assert added[domain].reason == f"line 11 has `{quote}`"
    assert added[domain].line == 11
    removed = {hit.domain: hit for hit in _assigned(changed(path, "x", line)).domains}
    assert removed[domain].reason == f"a removed line had `{quote}`"


@pytest.mark.parametrize(("path", "line"), INNOCENT)
def test_not_found(path: str, line: str) -> None:
    assert _assigned(changed(path, line)).domains == ()


def test_every_domain_of_the_table_has_an_example_and_a_meaning() -> None:
    shown = {domain for _, domain in BY_PATH} | {domain for _, _, domain, _ in BY_CONTENT}
    assert shown == {domain.name for domain in DOMAINS}
    assert all(domain.meaning and domain.name.islower() for domain in DOMAINS)
    assert len({domain.name for domain in DOMAINS}) == len(DOMAINS)


def test_generated_code_counts_by_its_path_and_other_generated_files_where_the_domain_looks_everywhere() -> None:
    (hit,) = _assigned(changed("auth/token_pb2.py", "jwt.decode(x)")).domains
    assert (hit.domain, hit.line) == ("auth", 0)
    assert _assigned(changed("util/token_pb2.py", "jwt.decode(x)")).domains == ()
    assert [hit.domain for hit in _assigned(changed("package-lock.json", "x")).domains] == ["dependencies"]


def test_moving_a_file_out_of_an_area_touches_it() -> None:
    file = _assigned(changed("util/helper.py", old_path="auth/helper.py", status="renamed"))
    assert [(hit.domain, hit.reason) for hit in file.domains] == [("auth", "path was `auth/helper.py`")]
    assert file.critical


def test_code_after_a_comment_on_the_same_line_still_counts() -> None:
    for line in ("/* x */ eval(y)", "*/ eval(y)", "/* a */ eval(y) /* b */"):
        assert [hit.domain for hit in _assigned(changed("a.js", line)).domains] == ["code-execution"], line


@pytest.mark.parametrize(
    "line",
    [
        'my_api_key: "Zx81nnQ"',
        "token = 'ghp_" + "a1" * 18 + "'",
        'client_secret="p@ss:w=rd"',
        "{'password': 'Hunter=2!'}",
    ],
)
def test_a_secret_is_never_repeated(line: str) -> None:
    hits = [h for h in _assigned(changed("a.py", line)).domains if h.domain == "secrets"]
    assert len(hits) == 1 or "Zx81" in line
    assert not any(part in hit.reason for hit in hits for part in ("Zx81", "a1a1", "p@ss", "w=rd", "Hunter"))


def test_a_match_never_spans_lines() -> None:
    assert _assigned(changed("a.py", "SELECT id,\nFROM users")).domains == ()


def test_hostile_text_in_a_reason_is_one_short_printable_line() -> None:
    line = "SELECT \x1b[31m`\u202e" + "x" * 150 + " FROM t"
    reason = _assigned(changed("a.py", line)).domains[0].reason
    assert reason.isprintable()
    assert len(reason) < 100
    assert reason.count("`") == 2


# The repository's own entries


def test_an_entry_is_extended() -> None:
    own = _domains(
        auth=DomainSetting(paths=("docs/policy.md",), ignore=("src/auth/colours.py",), content=(r"\bgrant\(",))
    )
    assert [h.domain for h in _assigned(changed("docs/policy.md"), own).domains] == ["auth"]
    assert _assigned(changed("src/auth/colours.py", "jwt.decode(x)"), own).domains == ()
    assert [h.domain for h in _assigned(changed("a.py", "grant(x)"), own).domains] == ["auth"]
    assert [h.domain for h in _assigned(changed("src/auth/x.py"), own).domains] == ["auth"]


def test_an_entry_is_replaced_or_made_less_critical() -> None:
    replaced = _domains(auth=DomainSetting(paths=("door/**",), replace=True, critical=True))
    assert _assigned(changed("src/auth/x.py"), replaced).domains == ()
    assert _assigned(changed("door/x.py"), replaced).critical
    calm = _domains(auth=DomainSetting(critical=False))
    assert not _assigned(changed("src/auth/x.py"), calm).critical


def test_a_new_entry_is_not_critical_unless_it_says_so() -> None:
    own = _domains(**{"flight-control": DomainSetting(paths=("fc/**",))})
    file = _assigned(changed("fc/a.c"), own)
    assert [(h.domain, h.reason) for h in file.domains] == [("flight-control", "path matches `fc/**`")]
    assert not file.critical
    assert [d.name for d in effective_domains(own)][-1] == "flight-control"


@pytest.mark.parametrize(
    ("name", "setting", "where"),
    [
        ("auth", DomainSetting(content=("(",)), "the setting domains.auth.content"),
        ("auth", DomainSetting(content=("(?=x)",)), "the setting domains.auth.content"),
        ("auth", DomainSetting(content=("x*",)), "the setting domains.auth.content"),
        ("auth", DomainSetting(content=("x" * 2001,)), "the setting domains.auth.content"),
        ("auth", DomainSetting(paths=("[",)), "the setting domains.auth.paths"),
        ("auth", DomainSetting(ignore=("[",)), "the setting domains.auth.ignore"),
        ("Auth!", DomainSetting(), "the setting domains.Auth!"),
    ],
)
def test_a_bad_entry_names_its_key(name: str, setting: DomainSetting, where: str) -> None:
    with pytest.raises(InputError) as error:
        assign_domains([], _domains(**{name: setting}))
    assert error.value.where == where
    assert error.value.mend


# Cost


def test_the_cost_grows_with_the_lines_alone() -> None:
    own = _domains(slow=DomainSetting(content=("(a+)+$", "(x|xx)*y")))
    hostile = "a" * 500_000 + "!" + "x" * 500_000
    many = "\n".join(f"# eval({i})" for i in range(20_000))
    start = time.process_time()
    _assigned(changed("a.py", hostile), own)
    _assigned(changed("a.py", many + "\n" + "/* " + "eval( " * 100_000), own)
    assert time.process_time() - start < 3


def _domains(**entries: DomainSetting) -> Settings:
    return Settings(domains=entries)


def _assigned(file: FileChange, settings: Settings | None = None) -> FileChange:
    own = settings or Settings()
    return assign_domains(classify_files([file], NO_ATTRIBUTES, own), own)[0]
