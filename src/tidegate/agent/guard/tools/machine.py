"""Processes, networks and the kernel of this machine, and the few builtins of a shell that change what follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.values import Call, Concern, Said, Tool, flag_letters, plain

_ANYTHING = frozenset((".", ".*", "", "^", "$"))
_LOADS = re.compile(r"require|import|loader|(?:^|\s)-r\b")
_PACKAGE = re.compile(r"--(?:import|require|loader|experimental-loader)[= ](?:@[\w-]+/)?[A-Za-z][\w/-]*(?=\s|$)")
_ADMIN = "ask a person who answers for the machine"
_SHOWN = {
    "iptables": ("-L", "-S", "-n", "--list", "--list-rules", "-nL", "-vnL", "-nvL"),
    "ip6tables": ("-L", "-S", "--list", "-nL"),
    "nft": ("list",),
    "sysctl": ("-a", "-n"),
    "route": ("-n",),
    "mount": ("-l", "-V", "--version"),
    "swapoff": (),
}
_WRITES = {
    "ip": {"add", "del", "delete", "flush", "set", "change", "replace"},
    "nmcli": {"down", "delete", "modify", "off"},
}


def judge_kill(call: Call) -> Iterator[Said]:
    """kill of one process passes; of all of them, or of the first, it does not."""
    everything = [one for one in call.arguments if one in ("-1", "1")]
    if (
        call.name == "kill"
        and call.arguments[-1:] in (("-1",), ("1",), ("0",))
        and (len(call.arguments) > 1 or everything)
    ) or (call.name == "killall5" or (call.name == "pkill" and _ANYTHING & set(call.arguments))):
        yield call.concern("machine", "it stops every process that it may", "name one process", "every process")


def judge_builtins(call: Call) -> Iterator[Said]:
    """`enable -f` loads code into the shell, `fc -s` runs a line of the history."""
    if call.name == "enable" and flag_letters(call.arguments, "f"):
        yield call.concern("unseen-script", "it loads code that nobody sees into the shell", "leave it out")
    elif call.name == "fc" and not flag_letters(call.arguments, "l"):
        yield call.concern("unseen-command", "it runs a line that nobody sees", "write the command out")


def judge_rules(call: Call) -> Iterator[Said]:
    """The firewall and the kernel's settings."""
    if call.name in _WRITES:
        if _WRITES[call.name] & set(call.arguments):
            yield call.concern("machine", "it changes the network of the machine", _ADMIN, call.name)
    elif call.name == "sysctl":
        if any("=" in one for one in call.arguments) or "-w" in call.arguments or "-p" in call.arguments:
            yield call.concern("machine", "it changes the settings of the kernel", _ADMIN, call.name)
    elif call.arguments and call.arguments[0] not in _SHOWN.get(call.name, ()):
        yield call.concern(
            "machine",
            "it changes what the machine lets through or holds",
            _ADMIN,
            plain(call.arguments)[-1:][0] if plain(call.arguments) else call.name,
        )


def judge_export(call: Call) -> Iterator[Said]:
    """`export NAME=value` of a variable that has later commands run something else."""
    for one in call.arguments:
        name, equals, value = one.partition("=")
        if equals:
            yield from concerns_of_variable(call, name, value)


def concerns_of_variable(call: Call, name: str, value: str) -> Iterator[Concern]:
    """Variables that load code into every program that starts."""
    if (
        name
        in (
            "LD_PRELOAD",
            "LD_AUDIT",
            "BASH_ENV",
            "ENV",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "RUBYOPT",
        )
        and value
    ):
        what = f"{name} has every program after it run code that nobody sees"
        yield call.concern("unseen-script", what, "leave it out")
    elif name == "PATH" and re.match(r"(?:/var)?/tmp(?:/|:|$)|/dev/shm|\.?(?::|$)", value):
        what = "PATH puts a folder first in which anybody leaves programs"
        yield call.concern("unseen-command", what, "name the program by its path")
    elif name in ("DOCKER_HOST", "CONTAINER_HOST") and re.match(r"(?:ssh|tcp|https?)://(?!localhost|127\.)", value):
        yield call.concern("remote", f"{name} has it change containers of another machine", "leave it out", name)
    elif name == "NODE_OPTIONS" and _LOADS.search(value if call.place.typed else _PACKAGE.sub("", value)):
        yield call.concern("unseen-script", "NODE_OPTIONS loads code into every program", "leave it out")
    elif name.startswith("TF_CLI_ARGS") and ("destroy" in value or "auto-approve" in value):
        yield call.concern("apply", f"{name} changes what Terraform does", "write the arguments out")


KILL = Tool(frozenset(("kill", "killall5", "pkill")), judge_kill)
BUILTINS = Tool(frozenset(("enable", "fc")), judge_builtins)
RULES = Tool(
    frozenset(
        (
            "iptables",
            "ip6tables",
            "nft",
            "sysctl",
            "route",
            "ip",
            "nmcli",
            "umount",
            "mount",
            "swapoff",
            "rmmod",
            "insmod",
            "modprobe",
            "ifdown",
        )
    ),
    judge_rules,
)
EXPORT = Tool(frozenset(("export", "declare", "typeset", "readonly")), judge_export)
