"""The tier of small applications, what they want, and that nothing unknown ever raises it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.place.apps import CAREFUL, EXPRESS, FLASK, HARD_CODED, STREAMLIT
from tests.repos import Repo
from tidegate.change.attested import Attested, parse_attested
from tidegate.change.git import open_repository
from tidegate.cli.place import place
from tidegate.errors import InputError
from tidegate.place.asked import ASK, ASKED
from tidegate.place.code import Code
from tidegate.place.data import class_of
from tidegate.place.journey import read_placement, reasons_against
from tidegate.place.judge import judge
from tidegate.place.text import render_place, render_reasons
from tidegate.place.values import TIERS, Application, Authors, Operated, Placement, Seen
from tidegate.place.wanted import read_wanted
from tidegate.report.style import Style
from tidegate.settings import ATTESTED, PlaceSettings

NOW = "2026-02-03T00:00:00Z"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Placement]:
    """The placement of an application that a person committed."""

    def answer(files: Mapping[str, str | bytes], evidence: str = "", folder: str = "") -> Placement:
        repo = Repo.init(tmp_path / "app")
        repo.commit("Write it", files)
        extra = None
        if evidence:
            extra = tmp_path / "evidence.toml"
            extra.write_text(evidence)
        with open_repository(repo.path) as repository:
            return read_placement(repository, folder, NOW, {}, extra)[0]

    return answer


def _not_met(placement: Placement, tier: str) -> set[str]:
    return {one.id for one in placement.criteria if one.tier == tier and one.state != "met"}


def _evidence(*ids: str, at: str = "2026-01-20") -> str:
    return "".join(
        f'[[evidence]]\nid = "{id}"\nby = "alice"\nsecond = "bob"\nvalue = 0.8\nat = {at}\nwhere = "https://ci/1"\n'
        for id in ids
    )


def test_a_flask_app_of_an_evening_stays_in_the_sandbox(ask: Callable[..., Placement]) -> None:
    placement = ask(FLASK)
    assert placement.tier == "T0"
    assert _not_met(placement, "T1") == {
        *("data-for-a-test", "nothing-runs-input", "no-keys", "packages-exist", "owner", "recipe"),
    }
    app = placement.application
    assert [(one.path, one.line) for one in app.executions] == [("app.py", 19), ("app.py", 24)]
    assert [one.name for one in app.hosts] == ["api.stripe.com", "hooks.slack.com"]
    assert [one.line for one in app.dynamic] == [30]
    assert {one.name: one.data for one in app.fields} == {"card_number": "regulated", "email": "personal"}
    assert all(one.guard is None for one in app.routes)
    assert not any(one.open_by_name for one in app.routes), "GET /ping runs what it is sent: no health check"
    assert [(one.name, one.secret) for one in app.wanted] == [("MAIL_TOKEN", True)]


def test_no_value_of_a_secret_is_said(ask: Callable[..., Placement]) -> None:
    placement = ask(FLASK)
    said = render_place(placement, Style(), target="T3") + json.dumps(str(placement))
    assert HARD_CODED not in said
    assert HARD_CODED[8:20] not in said


def test_an_express_app_guards_one_route_of_five(ask: Callable[..., Placement]) -> None:
    app = ask(EXPRESS).application
    assert {one.name: (one.guard is not None, one.open_by_name) for one in app.routes} == {
        "GET /go": (False, ""),
        "GET /healthz": (False, "a health check"),
        "GET /notes": (True, ""),
        "GET /run": (False, ""),
        "POST /notes": (False, ""),
    }
    assert [one.line for one in app.executions] == [17]
    assert [one.name for one in app.hosts] == ["api.openai.com"]
    assert {one.text.split()[0] for one in app.dynamic} == {"mongoose", "fetch(...)", "MONGO_URL"}
    assert app.operated.port == 3000


def test_a_streamlit_page_is_open_to_whoever_comes(ask: Callable[..., Placement]) -> None:
    placement = ask(STREAMLIT)
    app = placement.application
    assert [(one.name, one.guard) for one in app.routes] == [("GET / of streamlit", None)]
    assert {"routes-ask", "calls-known", "backup-restored"} <= _not_met(placement, "T2")
    assert app.uploads == (Seen("main.py", 10, "takes files of unknown content"),)
    assert {one.name for one in app.wanted} == {"DATABASE_URL", "MODEL_KEY"}
    assert app.operated.port == 8501


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("main.go", "package main\n\nfunc main() {\n\tsrv := grpc.NewServer()\n\tpb.RegisterShopServer(srv, nil)\n}\n"),
        ("serve.py", "from http.server import HTTPServer\n\nHTTPServer(('', 8000), None).serve_forever()\n"),
        ("index.js", "require('http').createServer((q, r) => r.end(q.url)).listen(8080)\n"),
    ],
)
def test_what_listens_without_a_known_route_has_unknown_ways_in(
    ask: Callable[..., Placement], path: str, text: str
) -> None:
    placement = ask({path: text})
    assert {"ways-in-known"} <= _not_met(placement, "T1")
    assert {"routes-ask", "ways-in-tested"} <= _not_met(placement, "T2")


def test_a_careful_app_rises_with_what_people_vouch_for(ask: Callable[..., Placement]) -> None:
    at_first = ask(CAREFUL)
    assert at_first.tier == "T1"
    assert _not_met(at_first, "T2") == {"reviewed", "tests-pass", "quiet-14-days", "builds"}
    assert {one.name: one.guard is not None for one in at_first.application.routes} == {
        "GET /healthz": False,
        "GET /rates": True,
    }
    with_evidence = ask({}, _evidence("reviewed", "tests-pass", "quiet-14-days", "builds"))
    assert with_evidence.tier == "T2"
    assert set(with_evidence.axes) == {*dict.fromkeys(one.axis for one in ASKED)}
    old = ask({}, _evidence("reviewed", "tests-pass", "quiet-14-days", "builds", at="2025-01-01"))
    assert old.tier == "T1"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("bad.py", b"def broken(:\n"),
        ("nul.py", b"a = 1\0\n"),
        ("latin.py", b"x = '\xff\xfe'\n"),
        ("long.js", b"const a = '" + b"x" * 9000 + b"';\n"),
        ("deep.py", b"a = " + b"(" * 3000 + b")" * 3000 + b"\n"),
        ("shop.kt", b"fun main() {}\n"),
        ("k8s/x.yaml", b"apiVersion: v1\nkind: [\n"),
        ("package.json", b"{"),
        ("requirements.txt", b"\xff\xfe\n"),
    ],
)
def test_a_file_that_cannot_be_read_never_raises_a_tier(
    ask: Callable[..., Placement], path: str, content: bytes
) -> None:
    evidence = _evidence("reviewed", "tests-pass", "quiet-14-days", "builds")
    before = ask(CAREFUL, evidence)
    after = ask({path: content}, evidence)
    assert after.tier <= before.tier
    assert all(after.axes[axis] <= tier for axis, tier in before.axes.items())


_BEST = Application(
    name="shop",
    commit="0" * 40,
    files=3,
    authors=Authors(commits=2, people=("alice", "bob"), active=("alice", "bob"), latest=NOW),
    owners=("@acme/shop",),
    owners_from="CODEOWNERS",
    tests=4,
    operated=Operated(builds=(Seen("Dockerfile"),), logs=(Seen("a.py", 1),), runbooks=(Seen("docs/runbook.md"),)),
)
_ALL = {id: Attested(id, "alice", date(2026, 1, 1), "https://ci/1", 0.9, "bob") for id in ATTESTED}
_NONE = PlaceSettings(data="none")
_AREAS = ("code", "ways in", "commits", "packages", "keys in it", "secrets wanted", "its infrastructure")


def test_everything_known_and_vouched_for_is_critical() -> None:
    assert judge(_BEST, _NONE, _ALL, NOW).tier == "T3"


@given(
    gone=st.sets(st.sampled_from(sorted(ATTESTED))),
    lost=st.sets(st.sampled_from(_AREAS)),
    fewer=st.sets(st.sampled_from(("owners", "tests", "operated", "authors"))),
)
@settings(max_examples=150, deadline=None)
def test_less_evidence_never_raises_a_tier(gone: set[str], lost: set[str], fewer: set[str]) -> None:
    smaller = replace(_BEST, **{name: type(getattr(_BEST, name))() for name in fewer})
    known = {id: one for id, one in _ALL.items() if id not in gone}
    before = judge(smaller, _NONE, known, NOW)
    after = judge(replace(smaller, unknowns=dict.fromkeys(lost, "it could not be read")), _NONE, known, NOW)
    assert TIERS.index(after.tier) <= TIERS.index(before.tier) <= TIERS.index("T3")
    assert before.tier == "T3" or gone or fewer
    for id in gone & set(ASK):
        less = judge(smaller, _NONE, {key: one for key, one in known.items() if key != id}, NOW)
        assert less.tier <= before.tier
    if lost or gone - {"backup-restored"}:
        assert after.tier < "T3"


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_evidence_file_is_read_or_refused(text: bytes) -> None:
    try:
        found = parse_attested(text, "evidence.toml", NOW)
    except InputError:
        return
    assert isinstance(found, dict)


def test_an_approver_alone_and_a_low_figure_are_not_enough() -> None:
    alone = {**_ALL, "two-approvers": replace(_ALL["two-approvers"], second=" Alice ")}
    weak = {**_ALL, "mutation": replace(_ALL["mutation"], value=float("nan"))}
    assert judge(_BEST, _NONE, alone, NOW).axes["provenance"] == "T2"
    assert judge(_BEST, _NONE, weak, NOW).axes["verification"] == "T2"


def test_what_speaks_for_taking_a_place_back_is_said(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "app")
    table = '[place]\ntier = "T2"\ndata = "none"\nowner = "carol"\nexpires = "2026-01-31"\npublic = ["GET /rates"]\n'
    model = "class User(Base):\n    email = Column(String)\n\n\n@app.get('/free')\ndef free():\n    return 1\n"
    repo.commit("Write it", {**CAREFUL, "tidegate.toml": table, "app/models.py": "from app.main import app\n" + model})
    with open_repository(repo.path) as repository:
        placement, own = read_placement(repository, "", NOW, {})
    reasons = "\n".join(reasons_against(placement, own))
    assert "T2 is declared and T1 is earned" in reasons or "T2 is declared and T0 is earned" in reasons
    assert "given until 2026-01-31" in reasons
    assert "declared none, and personal was found: app/models.py:3" in reasons
    assert "GET /free is open and not in [place] public" in reasons
    assert "carol, who owns it, has committed nothing to it for 180 days" in reasons
    assert "TAKE BACK" in render_reasons(placement, tuple(reasons.splitlines()), Style())


@pytest.mark.parametrize(
    ("owner", "left"), [("alice smith", False), ("alice@example.com", False), ("al", True), ("@acme/shop", False)]
)
def test_an_owner_who_still_commits_has_not_left(tmp_path: Path, owner: str, left: bool) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Write it", {**CAREFUL, "tidegate.toml": f'[place]\nowner = "{owner}"\n'})
    with open_repository(repo.path) as repository:
        placement, own = read_placement(repository, "", "2026-02-03T00:00:00Z", {})
    assert bool(reasons_against(placement, own)) is left


def test_the_command_answers_for_a_folder_and_says_by_its_exit_code(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "many")
    repo.commit("Write them", {f"services/rates/{path}": text for path, text in CAREFUL.items()})
    runner = CliRunner()
    folder = str(repo.path / "services" / "rates")
    asked = runner.invoke(place, [folder, "--now", NOW, "--target", "T2", "--format", "json"], standalone_mode=False)
    assert asked.return_value == 1
    answer = json.loads(asked.stdout)
    assert answer["application"]["folder"] == "services/rates"
    assert answer["tier"] == "T0", "CODEOWNERS of a folder is none of the repository"
    told = runner.invoke(place, [folder, "--now", NOW], standalone_mode=False)
    assert told.return_value == 0
    assert max(map(len, told.stdout.splitlines())) <= 80
    with pytest.raises(InputError, match="no such folder"):
        runner.invoke(
            place, ["nowhere", "--repo", str(repo.path), "--now", NOW], standalone_mode=False, catch_exceptions=False
        )
    with pytest.raises(InputError, match="outside"):
        runner.invoke(place, ["../x", "--repo", str(repo.path)], standalone_mode=False, catch_exceptions=False)


def test_the_same_application_gives_the_same_answer(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Write it", EXPRESS)
    answers = []
    for _ in range(2):  # the second from what the first one kept
        with open_repository(repo.path) as repository:
            answers.append(read_placement(repository, "", NOW, {})[0])
    assert answers[0] == answers[1]


def test_the_page_has_every_criterion_and_the_table_every_tier() -> None:
    page = (ROOT / "docs" / "place.md").read_text(encoding="utf-8")
    for one in ASKED:
        assert f"| `{one.id}` | {one.tier} | {one.axis} | {one.title} |" in page
    assert {id: ASK[id].tier for id in ATTESTED} == dict(ATTESTED)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "personal"),
        ("firstName", "personal"),
        ("card_number", "regulated"),
        ("isEmailVerified", "none"),
        ("title", "none"),
        ("patient_id", "regulated"),
        ("span", "none"),
    ],
)
def test_names_of_columns_say_what_they_hold(name: str, kind: str) -> None:
    assert class_of(name) == kind


@pytest.mark.parametrize(
    ("path", "language", "line", "unknown"),
    [
        ("a.go", "Go", "if err := parse(os.Environ()); err != nil {", True),
        ("a.go", "Go", "for _, pair := range os.Environ() {", True),
        ("a.go", "Go", 'cmd.Env = append(os.Environ(), "A=b")', False),
        ("a.py", "Python", "for name, value in os.environ.items():", True),
        ("a.py", "Python", "env = os.environ.copy()", False),
        ("a.py", "Python", 'if "A" in os.environ:', False),
        ("a.js", "JavaScript", "for (const name of Object.keys(process.env)) {", True),
        ("A.java", "Java", "System.getenv().forEach(this::set);", True),
        ("A.java", "Java", 'System.getenv().getOrDefault("SHOP_TOKEN", "")', False),
    ],
)
def test_who_reads_the_whole_environment_may_want_any_secret(
    path: str, language: str, line: str, unknown: bool
) -> None:
    wanted, computed = read_wanted([Code(path, language, "source", [line.encode()])])
    assert bool(computed) is unknown
    assert [one.name for one in wanted] == (["SHOP_TOKEN"] if "SHOP_TOKEN" in line else [])


def test_a_generator_of_load_calls_what_it_is_told(ask: Callable[..., Placement]) -> None:
    placement = ask({"locustfile.py": "from locust import FastHttpUser\n\n\nclass Buyer(FastHttpUser):\n    pass\n"})
    assert "calls-known" in _not_met(placement, "T2")


def test_no_routes_are_none(ask: Callable[..., Placement]) -> None:
    said = render_place(ask({"job.py": "print(1)\n"}), Style())
    assert "  routes    none\n" in said


@pytest.mark.parametrize("host", ["*.co.uk", "metadata.google.internal", "169-254-169-254.nip.io", "x.local"])
def test_egress_names_no_machines_of_anybody(ask: Callable[..., Placement], host: str) -> None:
    with pytest.raises(InputError, match="anybody"):
        ask({**CAREFUL, "tidegate.toml": f'[place]\negress = ["{host}"]\n'})


@pytest.mark.parametrize("host", ["*.example.com", "*.example.co.uk", "db.internal.example.com", "api.stripe.com:443"])
def test_egress_names_machines_of_somebody(ask: Callable[..., Placement], host: str) -> None:
    placed = ask({**CAREFUL, "tidegate.toml": f'[place]\negress = ["{host}"]\n'})
    assert host.partition(":")[0] in {one.name for one in placed.application.hosts}
