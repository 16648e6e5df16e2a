"""kubectl, oc, helm and kustomize: reading and dry runs pass."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.values import Call, Inner, Said, Tool, may_be_value, plain, unseen

_VALUED = frozenset(
    "-n --namespace --context --cluster --kubeconfig -s --server --token --user --as --as-group -l --selector -o "
    "--output -f --filename -c --container --request-timeout -k --kustomize -p --patch --type --field-selector "
    "--cache-dir --kube-context --set --values --version --timeout -L --since --tail".split()
)
_READS = frozenset(
    "get describe logs explain diff top version cluster-info api-resources api-versions wait port-forward completion "
    "kustomize proxy options whoami status projects project login plugin krew ns ctx tree neat events".split()
)
_WRITES = frozenset(
    "delete apply create replace patch edit scale drain cordon uncordon taint label annotate run set autoscale expose "
    "rollback install uninstall upgrade exec".split()
)
_BELOW = {
    "rollout": frozenset(("status", "history")),
    "config": frozenset("view current-context get-contexts get-clusters get-users use-context set-context".split()),
    "auth": frozenset(("can-i", "whoami")),
}
_HELM_READS = frozenset(
    "template lint list ls status get show inspect search repo dependency dep version env history hist package pull "
    "fetch completion plugin create verify diff registry unittest help".split()
)
_DRY = "run it with --dry-run=server or `kubectl diff`, and let the pipeline apply it"


def judge(call: Call) -> Iterator[Said]:
    """Held is what changes the cluster; what is run in a container is judged like anything else."""
    if call.has("--dry-run", "-h", "--help") and not any(one == "--dry-run=none" for one in call.arguments):
        return
    words = plain(_up_to_dashes(call.arguments), _VALUED)
    if not words:
        return
    verb = words[0]
    if may_be_value(call.arguments, verb):
        verb = next((one for one in words if one in _WRITES), verb)
    if unseen(verb):
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
    elif verb in ("exec", "debug", "rsh"):
        yield from _inside(call)
    elif verb == "cp":
        if len(words) > 2 and ":" in words[2]:
            yield _changes(call, verb, words)
    elif verb in _BELOW:
        if len(words) > 1 and words[1] not in _BELOW[verb]:
            yield _changes(call, f"{verb} {words[1]}", words)
    elif verb not in _READS:
        yield _changes(call, verb, words)


def judge_helm(call: Call) -> Iterator[Said]:
    """Held is what installs, upgrades, rolls back or takes away."""
    if call.has("--dry-run", "-h", "--help"):
        return
    words = plain(call.arguments, _VALUED)
    if words and may_be_value(call.arguments, words[0]):
        words = [next((one for one in words if one in _WRITES), words[0]), *words[1:]]
    if words and words[0] not in _HELM_READS:
        what = f"`helm {words[0]}` changes what runs in the cluster"
        yield call.concern("cluster", what.replace("\0", "…"), "run it with --dry-run, or `helm diff`", words[-1])
    elif words[:2] in (["plugin", "install"], ["registry", "push"]) or words[:1] == ["push"]:
        yield call.concern("cluster", "it installs or publishes what nobody has read", "ask a person", words[-1])


# Private


def _up_to_dashes(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _inside(call: Call) -> Iterator[Said]:
    arguments = call.arguments
    if "--" in arguments:
        behind = arguments[arguments.index("--") + 1 :]
    else:
        words = plain(arguments, _VALUED)
        behind = tuple(words[2:])
    if behind:
        yield Inner(behind, place=replace(call.place, away=True), piped=call.piped)
    else:
        yield call.concern("unseen-script", "what is done in there is not seen", "name the command behind `--`")


def _changes(call: Call, verb: str, words: list[str]) -> Said:
    return call.concern("cluster", f"`{call.name} {verb}` changes what runs in the cluster", _DRY, words[-1])


KUBECTL = Tool(frozenset(("kubectl", "k", "oc", "kubecolor", "microk8s.kubectl", "k3s")), judge)
HELM = Tool(frozenset(("helm", "helm3")), judge_helm)
