"""Terraform, OpenTofu and Terragrunt: what reads passes; an apply is judged by its plan."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.values import Call, Said, Tool, plain, unseen

_READS = frozenset(
    "init plan validate fmt show output version providers graph get metadata login logout console hclfmt hcl "
    "validate-inputs render-json graph-dependencies output-module-groups find list dag info hclvalidate".split()
)
_BELOW = {
    "state": frozenset(("list", "show", "pull")),
    "workspace": frozenset(("list", "show", "select", "new")),
    "stack": frozenset(("generate", "output")),
}
_PLAN = (
    "write a plan (`terraform plan -out tfplan`), have it approved (`tidegate guard approve tfplan`), apply that file"
)
_VALUED = frozenset(("-chdir", "--terragrunt-working-dir", "--working-dir", "-target", "-var", "-var-file", "-out"))


def judge(call: Call) -> Iterator[Said]:
    """Held is what changes the world or the state."""
    if call.has("-help", "--help", "-h", "-version", "--version", "-v"):
        return
    words = plain(call.arguments, _VALUED)
    verbs = [one for one in words if one not in ("run-all", "run", "stack", "--")] or words
    if not words:
        if call.arguments and any(map(unseen, call.arguments)):
            yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
        return
    verb = verbs[0]
    if unseen(verb):
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
    elif verb in ("apply", "destroy"):
        yield _apply(call, verb, verbs)
    elif verb in _BELOW:
        below = verbs[1] if len(verbs) > 1 else ""
        if below not in _BELOW[verb]:
            yield _state(call, f"`{verb} {below}`", verbs[-1])
    elif verb == "init" and call.has("-migrate-state", "-force-copy", "--migrate-state"):
        yield _state(call, "moving the state", "state")
    elif verb not in _READS:
        yield _state(call, f"`{verb}`", verbs[-1])


# Private


def _apply(call: Call, verb: str, words: list[str]) -> Said:
    chdir = next((one.partition("=")[2] for one in call.arguments if one.startswith("-chdir=")), "")
    folder = call.place.folder
    where = "" if folder is None or unseen(chdir) else str(folder / chdir)
    if verb == "apply" and len(words) == 2 and not unseen(words[1]) and where and call.name != "terragrunt":
        what = "it changes the world as this plan says"
        return replace(call.concern("apply", what, _PLAN, words[1]), plan=words[1], folder=where)
    what = (
        "it destroys everything that its state knows"
        if verb == "destroy" or call.has("-destroy", "--destroy")
        else "it changes the world by a plan that nobody has read"
    )
    return replace(
        call.concern("destroy" if verb == "destroy" else "apply", what, _PLAN, chdir or "everything"), folder=where
    )


def _state(call: Call, what: str, target: str) -> Said:
    return call.concern(
        "state",
        f"{what} changes what Terraform knows of the world",
        "use moved, removed and import blocks in code",
        target,
    )


TOOL = Tool(frozenset(("terraform", "tofu", "terragrunt", "tf", "tg", "opentofu")), judge)
