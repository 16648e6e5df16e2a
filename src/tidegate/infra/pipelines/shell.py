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
    """What a script fetches from the net and runs unseen: `curl URL | sh`, or a file that is run without its hash being
    compared. The parts as written."""
    joined = re.sub(r"\\\r?\n\s*", " ", text[:LONGEST])
    lines = [line[:5000] for line in joined.split("\n") if not line.lstrip().startswith("#")]
    found = [found[0] for line in lines for found in _PIPED.finditer(line)]
    return tuple(dict.fromkeys(" ".join(part.split()) for part in [*found, *_saved_and_run(lines)]))


def unpinned_tools(text: str) -> tuple[str, ...]:
    """Packages that a script fetches and runs in one word, without a version: `uvx NAME`, `npx -y NAME@latest`."""
    lines = (line[:5000] for line in text[:LONGEST].split("\n") if not line.lstrip().startswith("#"))
    return tuple(dict.fromkeys(" ".join(found[0].split()) for line in lines for found in _TOOL.finditer(line)))


def site_of(part: str) -> str:
    """The host that a command fetches from, with the owner where anybody may have one there; the command itself where
    it names none."""
    found = re.search(r"https?://([^/\s\"')]+)((?:/[^/\s\"')]+){0,2})", part)
    if found is None:
        return part
    return (found[1] + found[2] if _SHARED.search(found[1]) else found[1]).lower()


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
_SHARED = re.compile(
    r"(?i)^(?:raw\.|gist\.)?github(?:usercontent)?\.com$|^gist\.githubusercontent\.com$|^gitlab\.com$|^bitbucket\.org$|pastebin|"
    r"transfer\.sh|storage\.googleapis\.com|s3[\w.-]*\.amazonaws\.com|^cdn\.jsdelivr\.net$|^unpkg\.com$|[\w.-]+\.github\.io$"
)
"""Where anybody may put a file: the host alone says nothing of who does."""
_GET = r"(?:curl|wget)\b[^|\n;&]{0,600}(?:https?://|\"?\$\{?[A-Za-z_])[^|\n;&]{0,600}"
_PIPED = re.compile(
    rf"{_GET}\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/(?:usr/)?bin/)?(?:env\s+\S+=\S+\s+)?(?:\w+=\S+\s+)*(?:ba|z|da)?sh\b|"
    rf"{_GET}\|\s*(?:sudo\s+)?(?:python3?|node|perl|ruby)\b(?!\s+-(?:c|e|m|n|p)\b)"
    r"|(?:(?:ba|z)?sh|eval|source|python3?|node|perl|ruby)\s+(?:-[ce]\s+)?[\"']?(?:<\(|\$\()\s*(?:curl|wget)\b[^)\n]*"
    r"|(?:iex|Invoke-Expression)\b[^\n]*(?:DownloadString|irm|iwr|Invoke-(?:WebRequest|RestMethod))[^\n]*"
    r"|(?:irm|iwr|Invoke-(?:WebRequest|RestMethod))\b[^|\n]*\|\s*(?:iex|Invoke-Expression)\b"
)
_TO = r"(?:\s-\w{0,9}[oO]\s*|\s--output[ =]|\s--output-document[ =]|\s>\s*)[\"']?([\w./$~{}-]{1,200})"
_SAVED = re.compile(
    rf"(?:curl|wget)\b[^|\n;&]{{0,300}}?https?://[^|\n;&]{{0,300}}?{_TO}|"
    rf"(?:curl|wget)\b[^|\n;&]{{0,300}}?{_TO}[\"']?\s[^|\n;&]{{0,300}}?https?://[^|\n;&\s]{{1,300}}"
)
_COMPARED = re.compile(
    r"sha(?:256|512|1)sum|shasum|\bgpg\b|cosign|minisign|"
    r"Get-FileHash|slsa-verifier|attestation verify"
)
_TOOL = re.compile(
    r"(?:^|[\s;&|(])(?:npx\s+(?:-y|--yes)\s+|npx\s+(?=[\w@/.-]+@(?:latest|next|canary)\b)|(?:pnpm|yarn)\s+dlx\s+|bunx\s+|pipx\s+run\s+|uvx\s+|"
    r"uv\s+tool\s+run\s+|go\s+run\s+(?=[\w./-]+@(?:latest|main|master)\b))(?![-.$])(?:(?:@[\w.-]+/)?[\w./-]+(?:@(?:latest|next|canary|main|master)\b)?)"
    r"(?![\w./-]|@\^?~?v?\d|==|@\$|@[0-9a-f]{7})"
)


def _saved_and_run(lines: list[str]) -> Iterator[str]:
    """Scripts that are saved under a name and run under it, in a script that compares no hash."""
    text = "\n".join(lines)
    if _COMPARED.search(text):
        return
    runs = {match[1].removeprefix("./") for match in _RUN.finditer(text)}
    for match in _SAVED.finditer(text):
        if (match[1] or match[2]).removeprefix("./") in runs:
            yield match[0]


_RUN = re.compile(
    r"(?:^|[\s;&])(?:(?:ba|z|da)?sh|python3?|node|perl|ruby|source|\.)\s+(?:-\w+\s+){0,5}[\"']?([\w./$~{}-]{1,200})",
    re.MULTILINE,
)
