"""docker, podman, nerdctl and compose: building and running pass; what loses volumes or leaves the box is held."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tidegate.agent.guard.frozen import replace
from tidegate.agent.guard.tools.verbs import is_dangerous
from tidegate.agent.guard.values import Call, Inner, Said, Tool, flag_letters, plain, unseen

_VALUED = frozenset(
    "-f --file -p --project-name --profile --env-file -v --volume -e --env -w --workdir -u --user --name --network "
    "--entrypoint -p --publish -m --memory --cpus --mount --platform -l --label -h --hostname --add-host --pull "
    "--restart --shm-size --tmpfs --ulimit --gpus --device --cap-add --security-opt -H --host --context -c --log-level "
    "--filter --format -t --tag --index --scale --timeout --env-file --ip --dns --link --cidfile --runtime".split()
)
_HELD = {
    ("system", "prune"),
    ("system", "reset"),
    ("volume", "prune"),
    ("volume", "rm"),
    ("volume", "remove"),
    ("network", "rm"),
    ("stack", "rm"),
    ("stack", "deploy"),
    ("service", "rm"),
    ("service", "scale"),
    ("service", "update"),
    ("service", "rollback"),
    ("service", "create"),
    ("node", "rm"),
    ("node", "update"),
    ("swarm", "leave"),
    ("swarm", "init"),
    ("swarm", "join"),
    ("secret", "rm"),
    ("config", "rm"),
    ("machine", "rm"),
    ("machine", "reset"),
    ("pod", "rm"),
    ("image", "push"),
    ("manifest", "push"),
    ("context", "rm"),
    ("context", "use"),
    ("plugin", "install"),
}
_ENTRIES = {
    **{name: name for name in ("terraform", "kubectl", "helm", "terragrunt", "pulumi", "flyway", "liquibase", "vault")},
    "aws-cli": "aws",
    "awscli": "aws",
    "opentofu": "tofu",
    "k8s-kubectl": "kubectl",
    "rclone": "rclone",
}
"""What an image starts when it is not told what to start."""
_LOST = "what its volumes hold is lost"
_SAFE = "name one thing that you made yourself, or ask a person"


def judge(call: Call) -> Iterator[Said]:
    """One call of a container engine."""
    if call.has("--help"):
        return
    words = plain(call.arguments, _VALUED)
    if call.name in ("docker-compose", "podman-compose"):
        words = ["compose", *words]
    if not words:
        return
    verb = words[1] if words[0] in ("container", "compose") and len(words) > 1 else words[0]
    if unseen(verb):
        yield call.concern("unseen-command", "what it would do is only known when it runs", "write the verb out")
    elif words[0] == "compose":
        yield from _compose(call, verb)
    elif _HELD & set(pairwise(words[:4])) or verb == "push":
        means = "it publishes an image" if "push" in words[:2] else f"`{call.name} {words[0]} {words[-1]}`: {_LOST}"
        yield call.concern("containers", means.replace("\0", "…"), _SAFE, words[-1])
    elif (call.has("--push") or any("type=registry" in one for one in call.arguments)) and verb in (
        "build",
        "buildx",
        "bake",
    ):
        yield call.concern("publish", "it publishes an image", "build it, and let the pipeline push it", words[-1])
    elif verb == "rm" and (flag_letters(call.arguments, "v") or "--volumes" in call.arguments):
        yield call.concern("containers", _LOST, _SAFE, words[-1])
    elif verb in ("run", "create"):
        yield from _outside(call)
        yield from _behind(call, verb, skip=1)
    elif verb == "exec":
        yield from _behind(call, verb, skip=1)


# Private


def _compose(call: Call, verb: str) -> Iterator[Said]:
    behind = call.arguments[call.arguments.index(verb) + 1 :] if verb in call.arguments else ()
    volumes = "--volumes" in behind or flag_letters(behind, "v")
    if verb in ("down", "rm") and volumes:
        yield call.concern("containers", _LOST, "run it without -v", "the volumes")
    elif verb == "push":
        yield call.concern("publish", "it publishes images", "let the pipeline push them", "the images")
    elif verb in ("exec", "run"):
        yield from _behind(call, verb, skip=1)


def _behind(call: Call, verb: str, skip: int) -> Iterator[Said]:
    """What is run in the container, behind its name."""
    arguments = list(call.arguments[call.arguments.index(verb) + 1 :])
    entry = image = ""
    while arguments and (arguments[0].startswith("-") or skip):
        one = arguments.pop(0)
        if one.startswith("-"):
            if one == "--entrypoint" and arguments:
                entry = arguments[0]
            elif one.startswith("--entrypoint="):
                entry = one.partition("=")[2]
            if one in _VALUED and one not in ("-t", "-f", "-c") and arguments:
                arguments.pop(0)
        else:
            skip -= 1
            image = one
    if not entry and verb == "run" and arguments and not unseen(image):
        entry = _ENTRIES.get(re.sub(r"(?<=\w)[:@].*", "", image.rsplit("/", 1)[-1]), "")
        if not entry and is_dangerous(tuple(arguments[:1])):
            yield call.concern("unseen-script", "what the image runs is not seen, and its name is grave", _SAFE, image)
    yield from _started(call, verb, entry, arguments)


def _started(call: Call, verb: str, entry: str, arguments: list[str]) -> Iterator[Said]:
    if entry and not unseen(entry):
        arguments = [entry, *arguments]
    if len(arguments) > 1 or (
        arguments and not unseen(arguments[0]) and not re.search(r"(^|/)(?:ba|z|da|a)?sh$", arguments[0])
    ):
        inner = replace(call.place, away=True, environment={})
        if verb == "run" and arguments[0] in ("rm", "mv", "find", "chown", "chmod", "cp", "dd", "tee"):
            return
        yield Inner(tuple(arguments), place=inner, piped=call.piped)
    elif arguments and call.piped and call.given is None:
        yield call.concern("unseen-script", "a shell in there would read what nobody sees", "name the command")
    elif arguments and call.given is not None:
        yield Inner(script=call.given, place=replace(call.place, away=True))


def _outside(call: Call) -> Iterator[Said]:
    if (
        call.has("--privileged", "--pid")
        or "--cap-add=ALL" in call.arguments
        or "--cap-add=SYS_ADMIN" in call.arguments
    ):
        yield call.concern(
            "containers", "the container may do everything to the machine", "leave that flag out", "--privileged"
        )
    for place, one in enumerate(call.arguments):
        if one in ("-v", "--volume", "--mount") and place + 1 < len(call.arguments):
            mount = call.arguments[place + 1]
        elif one.startswith(("--volume=", "--mount=")) or (one.startswith("-v") and ":" in one):
            mount = one.partition("=")[2] if one.startswith("--") else one[2:]
        else:
            continue
        source = re.search(r"(?:source|src)=([^,]+)", mount)
        path = source[1] if source else mount.split(":")[0]
        if path.startswith("/") and path.rstrip("/") in (
            "",
            "/etc",
            "/usr",
            "/var",
            "/home",
            "/root",
            "/var/run/docker.sock",
            "/run/docker.sock",
            "~",
        ):
            yield call.concern("containers", f"it hands {path} of the machine to the container", _SAFE, path)


TOOL = Tool(frozenset(("docker", "podman", "nerdctl", "docker-compose", "podman-compose")), judge)
