"""What shell commands of a pipeline do, as far as their words say it: test, scan, deploy, run what they fetch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

Check: TypeAlias = Literal["tests", "scan", ""]

LONGEST = 200_000
LONGEST_COMMAND = 2_000


class Command(Struct, frozen=True):
    """One command with its arguments as written. `tolerated`: its failure is swallowed (`|| true`)."""

    text: str
    tolerated: bool = False


def commands(text: str) -> Iterator[Command]:
    """The commands of a script, in order; comments and blank lines are left out."""
    joined = re.sub(r"\\\r?\n\s*", " ", text[:LONGEST])
    tolerant = False
    for line in joined.split("\n"):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if re.match(r"set\s+(-\w*e|-o errexit)", line):
            tolerant = False
        elif re.match(r"set\s+(\+\w*e|\+o errexit)", line):
            tolerant = True
        for part in re.split(r"\s*(?:&&|;(?!;))\s*", line):
            head, *rest = re.split(r"\s*\|\|\s*", part)
            swallowed = any(re.match(r"(true|:|exit 0|echo\b)", one) for one in rest)
            if head:
                yield Command(" ".join(head.split())[:LONGEST_COMMAND], tolerant or swallowed)
            for one in rest:
                if one and not re.match(r"(true|:|exit\b|echo\b)", one):
                    yield Command(" ".join(one.split())[:LONGEST_COMMAND])


def check_of(command: str) -> Check:
    """Whether a command is there to say no: tests, or a scan for holes and secrets."""
    if _SCANS.search(command) and not _INSTALL.match(command):
        return "scan"
    return "tests" if _TESTS.search(command) and not _INSTALL.match(command) else ""


def scanner_of(command: str) -> str:
    """The scanner that a command or an action names."""
    found = _SCANS.search(command)
    return found[0].strip().lower() if found else ""


def deploys(command: str) -> bool:
    """Whether a command brings something to where people use it: infrastructure, a service, a package, a site."""
    return bool(_DEPLOYS.search(command))


def fetched_and_run(text: str) -> tuple[str, ...]:
    """What a script fetches from the net and runs unseen: `curl URL | sh`. The parts as written."""
    joined = re.sub(r"\\\r?\n\s*", " ", text[:LONGEST])
    lines = (line for line in joined.split("\n") if not line.lstrip().startswith("#"))
    return tuple(" ".join(found[0].split()) for line in lines for found in _PIPED.finditer(line[:5000]))


def site_of(part: str) -> str:
    """The host that a command fetches from, the command itself where it names none."""
    found = re.search(r"https?://([^/\s\"')]+)", part)
    return found[1].lower() if found else part


# Private

_INSTALL = re.compile(
    r"^(sudo )?(npm (ci|i|install|add)|pip3? install|python3? -m pip|uv (pip|tool|sync|add)|apt(-get)?|brew|go install"
    r"|yarn add|cargo install|pipx install|gem install|dotnet tool|choco|curl|wget|echo|cat|cd|mkdir|cp|mv|rm|export)\b"
)
_RUNNERS = (
    r"npm|pnpm|yarn|bun|deno|dotnet|swift|mix|make|just|flutter|dart|bazel|sbt|rake|rails|meson|zig build|lerna run"
    r"|nx run|turbo|hatch run|poetry run|uv run|xcodebuild|forge|stack|cabal|composer|rebar3|lein|buck2"
)
_TESTERS = (
    r"pytest|py\.test|tox|nox|unittest|ctest|rspec|phpunit|jest|vitest|mocha|ava|playwright test|cypress run"
    r"|cargo (?:\+\S+ )?(?:nextest|test)|go test|gotestsum"
)
_TESTS = re.compile(
    rf"(?:^|[\s/\"'(=])(?:{_TESTERS}"
    rf"|(?:{_RUNNERS})(?: [\w./:@=-]+){{0,4}}? (?:run )?(?:(?:unit|integration|e2e|all|go)-?)?tests?(?:[-:_.][\w:.-]+)?"
    r"|gradlew?(?: [\w:.=-]+){0,9} (?:test|check|build)|mvnw?(?: [\w:.=-]+){0,9} (?:test|verify|install)"
    r"|\./(?:scripts?/|ci/|bin/)?(?:run[-_])?tests?(?:\.\w+)?|scripts?/(?:run[-_])?tests?(?:\.\w+)?)(?=$|[\s\"';)])"
)
_SCANNERS = (
    r"trivy|grype|snyk|semgrep|gitleaks|trufflehog|bandit|zizmor|codeql(?:-action)?|checkov|tfsec|kics|pip-audit"
    r"|npm audit|pnpm audit|yarn audit|cargo[- ](?:audit|deny)|govulncheck|osv-scanner|dependency-review(?:-action)?"
    r"|scorecard(?:-action)?|gosec|brakeman|hadolint|actionlint|detect-secrets|sonar-?scanner|sonarcloud|tidegate"
    r"|dependency-check|bundle audit|bundler-audit|safety check|tflint|conftest|kubeconform|kube-linter|polaris audit"
)
_SCANS = re.compile(rf"(?i)(?:^|[\s/@\"'])({_SCANNERS})(?=$|[\s/@:\"'-])")
_DEPLOYERS = (
    r"(?:terraform|tofu|terragrunt)(?: -\S+){0,9}(?: run-all)? (?:apply|destroy)|pulumi up|cdk deploy|sam deploy"
    r"|serverless deploy|kubectl(?: -\S+){0,9} (?:apply|delete|set image|rollout|replace|patch)"
    r"|helm(?:file)? (?:upgrade|install|apply|sync)|(?:npm|pnpm|yarn|lerna|bun) (?:run )?(?:publish|deploy\S*)"
    r"|twine upload|uv publish|poetry publish|cargo publish|gem push|docker(?: buildx)? push"
    r"|mvnw?(?: \S+){0,9} deploy|gradlew?(?: \S+){0,9} publish\S*"
    r"|aws (?:s3 sync|s3 cp|ecs update-service|lambda update-function-code|cloudformation deploy)"
    r"|gcloud (?:run|app|functions) deploy|az (?:webapp|functionapp|containerapp) \w+|vercel|netlify deploy"
    r"|wrangler(?: pages)? (?:deploy|publish)|firebase deploy|fly(?:ctl)? deploy|railway up|ansible-playbook"
    r"|cap \w+ deploy|goreleaser(?: release)?|eb deploy|gh release (?:create|upload)|semantic-release|changeset publish"
    r"|mkdocs gh-deploy|mike deploy"
)
_DEPLOYS = re.compile(rf"(?:^|[\s/])(?:{_DEPLOYERS})(?=$|\s)")
_PIPED = re.compile(
    r"(?:curl|wget)\b[^|\n;&]*https?://[^|\n;&]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+\S+=\S+\s+)?"
    r"(?:ba|z|da)?sh\b|(?:curl|wget)\b[^|\n;&]*https?://[^|\n;&]*\|\s*(?:sudo\s+)?(?:python3?|node|perl|ruby)\b"
    r"|(?:ba|z)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\()\s*(?:curl|wget)\b[^)\n]*"
    r"|(?:iex|Invoke-Expression)\b[^\n]*(?:DownloadString|irm|iwr)[^\n]*|(?:irm|iwr)\b[^|\n]*\|\s*iex\b"
)
