"""The guard on commands of real repositories: shell blocks of READMEs and `run:` steps of workflows.

    python -m bench.agent.guard FOLDER_OF_BARE_CLONES [tuned|held-back|all] [--show] [--most N]

Repositories fall into two halves by the digest of their names. Every command is judged in the files of its own
repository, laid out in a scratch folder; nothing is run. What is held is listed for a person to read: some of it is
rightly held. Then: CPU of one hook call, beside `python -c pass`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.measure import measure, row
from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.judge import judge_text
from tidegate.agent.guard.tools.verbs import is_dangerous
from tidegate.agent.guard.values import Concern, Place

SOURCES = Path(__file__).resolve().parents[2] / "src"
MOST_FILES, LARGEST_FILE = 4_000, 200_000
_BLOCK = re.compile(r"^```(?:bash|sh|shell|console|shell-session|zsh)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TEMPLATE = re.compile(r"<[A-Za-z][\w .:-]*>|^\S+@\S+[$%#] |%[A-Z]+%|^[*<>] ", re.MULTILINE)


def half_of(name: str) -> str:
    return "tuned" if hashlib.sha256(name.encode()).digest()[0] & 1 else "held-back"


def commands_of(files: dict[str, str]) -> Iterator[str]:
    """What a person or a pipeline would run. Templates with `<placeholders>` are no commands yet."""
    for path, text in files.items():
        if re.fullmatch(r"(?i)(?:readme|contributing|development|install)[^/]*\.(?:md|rst)", path):
            found = (command for block in _BLOCK.finditer(text) for command in _of_block(block[1]))
            yield from (one for one in found if not _TEMPLATE.search(one))
        elif re.fullmatch(r"\.github/workflows/[^/]+\.ya?ml", path):
            yield from (re.sub(r"\$\{\{[^}]*\}\}", "value", one) for one in _steps_of(text))


def _steps_of(text: str) -> Iterator[str]:
    import yaml

    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return
    jobs = document.get("jobs") if isinstance(document, dict) else None
    for job in jobs.values() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for step in steps if isinstance(steps, list) else ():
            command = step.get("run") if isinstance(step, dict) else None
            shells = f"{step.get('shell')} {job.get('runs-on')} {job.get('defaults')}" if command else ""
            if isinstance(command, str) and not re.search(r"pwsh|powershell|cmd|python|ruby|windows", shells):
                yield command.strip()


def judged(repository: Path) -> Iterator[tuple[str, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="guard-", dir=Path.home()) as scratch:
        folder = Path(scratch) / "work"
        files = _lay_out(repository, folder)
        place = Place(folder, folder, "/home/someone", {"PATH": "/usr/local/bin:/usr/bin:/bin"})
        installed = Path(scratch) / "bin"
        installed.mkdir()
        place = replace(place, environment={"PATH": f"/usr/local/bin:/usr/bin:/bin:{installed}"})
        for command in dict.fromkeys(commands_of(files)):
            _install(judge_text(command, place).concerns, installed)
            yield command, [f"{one.rule}: {one.command}: {one.what}" for one in judge_text(command, place).concerns]


def main() -> int:
    clones, which = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "all"
    most = int(sys.argv[sys.argv.index("--most") + 1]) if "--most" in sys.argv else 10_000
    rules: Counter[str] = Counter()
    total = held = repositories = 0
    for one in sorted(clones.iterdir())[:most]:
        if which not in ("all", half_of(one.name)) or not (one / "repo").exists():
            continue
        repositories += 1
        for command, concerns in judged(one / "repo"):
            total += 1
            if concerns:
                held += 1
                rules.update({concern.partition(":")[0] for concern in concerns})
                if "--show" in sys.argv:
                    print(json.dumps([one.name, command[:300], concerns[:2]]))
    print(
        f"{which}: {repositories} repositories, {total} commands, {held} held ({100 * held / max(1, total):.1f} %)",
        dict(rules),
    )
    payload = {"session_id": "s", "tool_name": "Bash", "tool_input": {"command": "git status --short && ls -la"}}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "payload.json"
        path.write_text(json.dumps(payload))
        start = (
            f"import sys; sys.stdin = open({str(path)!r}); sys.path.insert(0, {str(SOURCES)!r}); "
            "from tidegate.agent.guard.hook import main; main()"
        )
        bare = measure([sys.executable, "-I", "-c", "pass"], cwd=Path.cwd(), runs=50)
        call = measure([sys.executable, "-I", "-c", start], cwd=Path.cwd(), runs=50)
        print(row("one hook call", call, "60 ms", f"bare: {bare.cpu * 1000:.0f} ms"))
    return 0


def _install(concerns: Iterable[Concern], folder: Path) -> None:
    """Whoever runs these commands has the programs that they name: an empty file stands for each."""
    for one in concerns:
        found = re.match(r"([\w.+@-]+) is no program here", one.what)
        if found is not None and not is_dangerous((found[1],)):
            (folder / found[1]).touch(mode=0o755)


def _of_block(text: str) -> Iterator[str]:
    lines = [line[2:] if line.startswith(("$ ", "# ", "> ")) else line for line in text.splitlines()]
    prompted = any(line.startswith("$ ") for line in text.splitlines())
    if prompted:
        yield from (line[2:] for line in text.splitlines() if line.startswith("$ "))
    elif any(line.strip() for line in lines):
        yield "\n".join(text.splitlines())


def _lay_out(repository: Path, folder: Path) -> dict[str, str]:
    """The small files of the tip, in a scratch folder; what commands are read from comes back as text."""
    folder.mkdir()
    (folder / ".git").mkdir()
    wanted = [
        "*.sh",
        "*Makefile*",
        "*package.json",
        "*.mk",
        "README*",
        "CONTRIBUTING*",
        ".github/workflows/*",
        "*gradlew",
        "*.py",
    ]
    listing = ["git", "-C", str(repository), "ls-tree", "-r", "-z", "--name-only", "HEAD", "--"]
    names = subprocess.run(listing, capture_output=True, check=False).stdout.decode("utf-8", "replace").split("\0")
    chosen = [name for name in names if name and any(Path(name).match(pattern) for pattern in wanted)][:MOST_FILES]
    files: dict[str, str] = {}
    if not chosen:
        return files
    archive = ["git", "-C", str(repository), "archive", "HEAD", "--", *(f":(literal){name}" for name in chosen[:1500])]
    done = subprocess.run(archive, capture_output=True, check=False)
    if done.returncode:
        return files
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for member in tar:
            if not member.isfile() or member.size > LARGEST_FILE or ".." in member.name:
                continue
            stream = tar.extractfile(member)
            data = stream.read() if stream is not None else b""
            path = folder / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            files[member.name] = data.decode("utf-8", "replace")
    return files


if __name__ == "__main__":
    sys.exit(main())
