"""ssh, scp, rsync, curl: what is done on other machines is judged like here; what is written there is held."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.tools.verbs import is_dangerous
from tidegate.agent.guard.values import Call, Inner, Said, Tool, plain, unseen

_SSH_VALUED = frozenset("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -P -Q -R -S -W -w -B".split())
_RSYNC_VALUED = frozenset(
    "-e --rsh --exclude --include --filter -f --rsync-path --password-file --bwlimit --port".split()
)
_LOCAL = re.compile(r"(?:\w+://)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|host\.docker\.internal)(?:[:/]|$)")
_READING = ("", "GET", "HEAD", "POST", "OPTIONS", "QUERY", "PROPFIND")
_ADMINS = re.compile(r"/(?:api/v1|apis)/|:(?:2375|2376|8001)(?:/|$)|/v1/(?:kv|sys|secret)/")
_HOST = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!/{2}|\\).*|rsync://.*|s3://.*|gs://.*", re.DOTALL)
_SAFE = "let the pipeline deliver it, or ask a person who answers for that machine"
_SENDS = (
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--json",
)


def judge_ssh(call: Call) -> Iterator[Said]:
    """`ssh host command`; a session that nobody sees into is held."""
    words = list(call.arguments)
    target = ""
    while words and (words[0].startswith("-") or not target):
        one = words.pop(0)
        if not one.startswith("-"):
            target = one
        elif one in ("-V", "-Q"):
            return
        elif one in _SSH_VALUED and words:
            value = words.pop(0)
            command = re.match(r"(?i)(?:proxy|local|knownhosts)command[= ]+(.*)", value)
            if one == "-o" and command:
                yield Inner(script=command[1])
        elif one == "-N":
            return
    place = replace(call.place, away=True)
    if words:
        yield Inner(script=" ".join(words), place=place, piped=call.piped)
    elif call.given is not None:
        yield Inner(script=call.given, place=place)
    elif target:
        yield call.concern(
            "unseen-script", "what is done over there is not seen", "name the command behind the host", target
        )


def judge_copy(call: Call) -> Iterator[Said]:
    """scp, sftp, rsync, rclone: to another machine is held, from there passes."""
    if call.has("--dry-run", "-n", "--list-only", "--version") or any(
        re.fullmatch(r"-[a-zA-Z]*n[a-zA-Z]*", one) for one in call.arguments if call.name == "rsync"
    ):
        return
    words = plain(call.arguments, _SSH_VALUED if call.name in ("scp", "sftp") else _RSYNC_VALUED)
    for place, one in enumerate(call.arguments):
        if one in ("-e", "--rsh", "-S") and place + 1 < len(call.arguments):
            yield Inner((*call.arguments[place + 1].split(), "host", "true"))
    if call.name == "rclone":
        if words and words[0] not in (
            "ls",
            "lsd",
            "lsl",
            "lsf",
            "size",
            "check",
            "cat",
            "about",
            "config",
            "version",
            "tree",
        ):
            yield call.concern("remote", "it writes to or deletes from a remote store", _SAFE, words[-1])
        return
    if not words:
        return
    if call.name in ("sftp", "ftp", "lftp"):
        yield call.concern("unseen-script", "what is done over there is not seen", _SAFE, words[-1])
    elif _HOST.fullmatch(words[-1]) or words[-1].startswith("\0"):
        yield call.concern("remote", "it writes to another machine", _SAFE, words[-1].replace("\0", "…"))
    elif any(one.startswith(("--delete", "--remove-source")) for one in call.arguments):
        from tidegate.agent.guard.tools.harm import harm

        if why := harm(call, words[-1], deletes=True):
            yield call.concern("files", why, _SAFE, words[-1])


def judge_http(call: Call) -> Iterator[Said]:
    """curl, wget, http: deleting and writing by an API of others is held; on this machine it passes."""
    method = ""
    arguments = call.arguments
    for place, one in enumerate(arguments):
        if one in ("-X", "--request", "--method") and place + 1 < len(arguments):
            method = arguments[place + 1]
        elif re.match(r"-X[A-Z]", one) or one.startswith(("--request=", "--method=")):
            method = one.removeprefix("-X").partition("=")[2] or one.removeprefix("-X")
        elif one in ("-o", "--output", "-O", "--output-document") and place + 1 < len(arguments):
            from tidegate.agent.guard.tools.harm import harm

            if one != "-O" and (why := harm(call, arguments[place + 1])):
                yield call.concern("files", why, "write it into the workspace", arguments[place + 1].replace("\0", "…"))
        elif one in ("-K", "--config"):
            yield call.concern("unseen-command", "what it sends stands in a file", "write it out")
    words = plain(
        arguments, frozenset(("-X", "-H", "-d", "-o", "-u", "-A", "-b", "-e", "-m", "--header", "--data", "--request"))
    )
    if call.name in ("http", "https", "xh") and words and words[0].isupper():
        method = words[0]
    url = next((one for one in words if "/" in one or "." in one or unseen(one)), "")
    if any(_LOCAL.match(one) for one in words) and not any(map(_ADMINS.search, words)):
        return
    if call.leaks and any(one.split("=")[0] in (*_SENDS, "--post-file", "--body-file") for one in arguments):
        yield call.concern("remote", "it sends credentials to another machine", _SAFE, url.replace("\0", "…"))
        return
    yield from _written(call, method, url)


def _written(call: Call, method: str, url: str) -> Iterator[Said]:
    arguments = call.arguments
    posts = method.upper() == "POST" or any(one.split("=")[0] in _SENDS for one in arguments)
    grave = is_dangerous((url.partition("://")[2].partition("/")[2].replace("reset", "wipe"),))
    if (
        (posts and grave)
        or method.upper() not in ("", "GET", "HEAD", "POST", "OPTIONS", "QUERY", "PROPFIND")
        or unseen(method)
    ):
        yield call.concern(
            "remote",
            f"it changes something behind an API ({method.upper() or 'POST'})".replace("\0", "…"),
            _SAFE,
            url.replace("\0", "…"),
        )
    elif _sends_file(arguments):
        yield call.concern("remote", "it sends a file to another machine", _SAFE, url.replace("\0", "…"))


def judge_sockets(call: Call) -> Iterator[Said]:
    """nc and socat: a program at the other end of a connection, and credentials that are sent."""
    for one in call.arguments:
        if re.match(r"-[a-z]*[ec]$|--(?:sh-)?exec|(?:exec|system|EXEC|SYSTEM):", one):
            yield call.concern("remote", "it lets another machine run a program here", _SAFE, call.name)
            return
    if call.leaks:
        yield call.concern("remote", "it sends credentials to another machine", _SAFE, call.name)


def _sends_file(arguments: tuple[str, ...]) -> bool:
    if any(one in ("-T", "--upload-file") or one.startswith(("--post-file", "--body-file")) for one in arguments):
        return True
    return any(one.split("=")[0] in _SENDS for one in arguments) and any(map(_FILE_SENT.search, arguments))


_FILE_SENT = re.compile(r"@(?:~|/|\.|.*\.(?:env|pem|key|tfstate))")

SSH = Tool(frozenset(("ssh", "mosh", "autossh", "sshpass")), judge_ssh)
COPY = Tool(frozenset(("scp", "rsync", "sftp", "rclone", "ftp", "lftp")), judge_copy)
SOCKETS = Tool(frozenset(("nc", "ncat", "netcat", "socat")), judge_sockets)
HTTP = Tool(frozenset(("curl", "wget", "http", "https", "xh", "curlie")), judge_http)
