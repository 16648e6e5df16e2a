"""Code of other languages, as far as it starts programs or deletes: its fixed texts are judged like commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.values import Call, Concern, Inner, Said

_STARTS = re.compile(
    r"\bsystem\b|\bpopen|\bsubprocess\b|\bexecl?[vpe]*\b\s*\(|\bspawn|child_process|execSync|execFile|\bproc_open|"
    r"shell_exec|passthru|\bqx\b|`[^`]+`|%x[\[({]|\bOpen3\b|\bIO\.popen|Deno\.Command|Bun\.\$|"
    r"\bsh\.\w+\(|os\.startfile|"
    r"Start-Process|Invoke-Expression|\biex\b|do shell script|pty\.spawn|asyncio\.create_subprocess|\bexecute\("
)
_BUILDS = re.compile(
    r"\beval\s*\(|\bexec\s*\(|__import__|\bcompile\s*\(|b64decode|base64|fromCharCode|atob\(|getattr\s*\(|importlib|"
    r"marshal|codecs\.decode|urlopen|requests\.(?:get|post|delete|put)|chr\(|bytes\.fromhex|"
    r"\\x(?!1b)[0-9a-f]{2}|require\(['\"]https?['\"]\)|pack\("
)
_DELETES = re.compile(
    r"rmtree|os\.(?:remove|unlink|rmdir|removedirs|kill)|\.unlink\(|rmSync|unlinkSync|fs\.rm|rimraf|FileUtils\.rm|"
    r"\brm_rf\b|\bunlink\b|Remove-Item|File\.delete|rmdirSync|truncate\(|shutil\.move"
)
_CLIENTS = re.compile(
    r"\.(?:delete|terminate|destroy|drop|remove|truncate)_?\w*\s*\(.*|"
    r"\b(?:drop\s+(?:table|database|schema)|truncate\s+table|delete\s+from)\b",
    re.IGNORECASE,
)
_REMOTE = re.compile(
    r"boto3|kubernetes|google\.cloud|azure\.|psycopg|pymysql|sqlalchemy|sqlite3|pymongo|redis|aws-sdk|\bpg\b|mysql"
)
_LITERAL = re.compile(r"""(?s)(?:"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`)""")
_LIST = re.compile(r"[\[(]\s*((?:[rbuf]?(?:\"[^\"\n]*\"|'[^'\n]*')\s*,?\s*){2,60})[\])]")
_SAID = re.compile(
    r"(?:\bprint|\bputs|\becho|\blog\w*(?:\.\w+)?|console\.\w+|\bhelp\s*=|description\s*=|"
    r"epilog\s*=|raise \w+|Error)\s*\(?\s*[fr]?\Z"
)
_PATH = re.compile(
    r"(?:rmtree|rmSync|rm_rf|rm_r|rimraf|remove|unlink)\w*\s*\(?\s*['\"](/[^'\"]*|~[^'\"]*|\.\.[^'\"]*)['\"]"
)
_SAFE = "write it as a command that can be read, or ask a person"


def judge_code(call: Call, text: str, typed: bool) -> Iterator[Said]:
    """What code would start or delete. What is typed must be plain; a file is read for what is fixed in it."""
    starts = _STARTS.search(text) is not None
    if starts:
        yield from _fixed(text)
        yield from _apart(text) if typed else ()
    for found in _PATH.finditer(text):
        yield Inner(("rm", "-r", found[1]))
    if _REMOTE.search(text) and (one := _CLIENTS.search(text)) and typed:
        yield _held(call, f"it changes something elsewhere ({one[0][:40]})")
    if not typed:
        return
    if not text.strip("\0 \n"):
        yield _held(call, "the code is only known when it runs")
    elif "\0" in text and (starts or _DELETES.search(text)):
        yield _held(call, "what it starts or deletes is only known when it runs")
    elif _BUILDS.search(text):
        yield _held(call, "its code makes or fetches code while it runs")
    elif _DELETES.search(text):
        yield _held(call, "its code deletes or moves files")
    elif starts and not _LITERAL.search(text):
        yield _held(call, "what it starts is only known when it runs")


# Private


def _fixed(text: str) -> Iterator[Inner]:
    seen: set[str] = set()
    for found in _LITERAL.finditer(text):
        if _SAID.search(text, max(0, found.start() - 60), found.start()):
            continue
        inside = next((one for one in found.groups() if one is not None), "").replace("\\n", "\n").replace('\\"', '"')
        if re.match(r"\s*[\w./-]+\s+\S", inside) and len(inside) < 2_000:
            seen.add(inside)
    for found in _LIST.finditer(text):
        parts = [one or two for one, two in re.findall(r"\"([^\"]*)\"|'([^']*)'", found[1])]
        if parts and re.fullmatch(r"[\w./+-]+", parts[0]):
            yield Inner(tuple(parts), code="list")
    for inside in sorted(seen):
        yield Inner(script=inside, code="text")


def _apart(text: str) -> Iterator[Inner]:
    """`system "terraform", "destroy"`: words that stand apart, each of which may begin a command."""
    words = ["".join(one or "" for one in found.groups()) for found in _LITERAL.finditer(text)]
    plain = [one for one in words if re.fullmatch(r"[\w./+=-]+", one)][:30]
    for at in range(len(plain)):
        yield Inner(tuple(plain[at : at + 8]), code="list")


def _held(call: Call, what: str) -> Concern:
    return call.concern("unseen-script", what, _SAFE)
