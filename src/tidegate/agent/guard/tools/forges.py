"""gh and glab: reading and opening pass; what merges past rules, deletes, releases or sets secrets is held."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.agent.guard.values import Call, Said, Tool, plain, unseen

_VALUED = frozenset(
    "-R --repo -X --method -H --header -f -F --field --raw-field --input -q --jq -t --template -b".split()
)
_HELD = {
    "repo": "delete archive rename edit unarchive transfer sync deploy-key",
    "secret": "set delete remove",
    "variable": "set delete remove update",
    "release": "create delete edit upload delete-asset",
    "workflow": "run enable disable",
    "run": "delete rerun cancel",
    "cache": "delete",
    "ruleset": "delete create",
    "ssh-key": "add delete",
    "gpg-key": "add delete",
    "deploy-key": "add delete",
    "environment": "delete create",
    "label": "delete",
    "issue": "delete transfer",
    "gist": "delete",
    "codespace": "delete ssh",
    "mr": "merge approve delete",
    "ci": "run delete trigger cancel",
    "pipeline": "run delete",
    "auth": "token logout refresh",
    "extension": "install exec",
    "alias": "set import delete",
    "token": "create revoke rotate",
    "schedule": "create delete run",
    "project": "delete",
    "org": "delete",
}
_SAFE = "ask a person who answers for the repository"


def judge(call: Call) -> Iterator[Said]:
    """One call of a forge's client."""
    words = plain(call.arguments, _VALUED)
    if not words or call.has("--help"):
        return
    group, verb = words[0], (words[1] if len(words) > 1 else "")
    if unseen(group) or (unseen(verb) and group != "api"):
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
        return
    if group == "api":
        yield from _api(call, verb)
    elif group == "pr" and verb == "merge":
        if call.has("--admin"):
            yield call.concern(
                "forge", "it merges past the rules of the branch", "merge with --auto once it is green", words[-1]
            )
    elif group == "pr" and verb == "review" and (call.has("--approve") or "-a" in call.arguments):
        yield call.concern("forge", "an approval is a person's", "review with --comment", words[-1])
    elif verb in _HELD.get(group, "").split():
        yield call.concern(
            "forge", f"`{call.name} {group} {verb}` changes the repository for everybody", _SAFE, words[-1]
        )


# Private


def _api(call: Call, path: str) -> Iterator[Said]:
    method = ""
    for place, one in enumerate(call.arguments):
        if one in ("-X", "--method") and place + 1 < len(call.arguments):
            method = call.arguments[place + 1]
        elif one.startswith(("-X", "--method=")) and one != "-X":
            method = one.removeprefix("-X").removeprefix("--method=")
    fields = call.has("-f", "-F", "--field", "--raw-field", "--input") or any(
        one[:2] in ("-f", "-F") and len(one) > 2 for one in call.arguments
    )
    if path == "graphql":
        body = " ".join(call.arguments)
        if "mutation" in body or "--input" in body:
            yield call.concern("forge", "it changes something by GraphQL", _SAFE, path)
    elif method.upper() not in ("", "GET", "HEAD") or (fields and not method):
        said = f"it writes to the forge ({method.upper() or 'POST'})"
        yield call.concern("forge", said.replace("\0", "…"), _SAFE, path.replace("\0", "…"))


TOOL = Tool(frozenset(("gh", "glab")), judge)
