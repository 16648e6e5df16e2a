"""The list of tools: what a client is told of each, and who answers it."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from tidegate.agent.mcp import arguments as asked
from tidegate.agent.mcp import values as told
from tidegate.errors import InputError


class Tool(Struct, frozen=True):
    """One tool. `place` is the function that answers it in a process of its own; "" for what the server asks itself.

    `writes` makes it one of those that need --write. `seconds` is the most that a call may take.
    """

    name: str
    title: str
    description: str
    arguments: type[Struct]
    answer: type[told.Answer]
    place: str
    seconds: int = 120
    writes: bool = False
    idempotent: bool = True
    open_world: bool = False


_CAP = " The answer has at most 16,000 characters; `cut` says what is left out and how to ask for it."
_HERE = "tidegate.agent.mcp.answers"

TOOLS = (
    Tool(
        "assess_change",
        "Judge a change",
        "The verdict of this repository's policy on a change (pass, hold or block), what must still happen (unmet "
        "first), findings, who or what wrote it, how far it reaches. Policy is read from the base. Ask before you "
        "commit (what=worktree or staged) and before you push." + _CAP,
        asked.ChangeArguments,
        told.Assessed,
        f"{_HERE}.change:assess_change",
        seconds=180,
    ),
    Tool(
        "what_is_missing",
        "What is missing before it may pass",
        "Each obligation of a change that is not met: the exact command or act that meets it, and who may do it. What "
        "is marked `human` is for a human: report it, do not do it. You never approve for a human." + _CAP,
        asked.ChangeArguments,
        told.MissingAnswer,
        f"{_HERE}.change:what_is_missing",
        seconds=180,
    ),
    Tool(
        "explain_rule",
        "Explain a rule or finding",
        "What a rule or finding means, why it is there, how to satisfy it, and how this repository has set it." + _CAP,
        asked.RuleArguments,
        told.RuleAnswer,
        f"{_HERE}.rule:explain_rule",
        seconds=30,
    ),
    Tool(
        "reach_of",
        "How far a change here would go",
        "What can feel a change of a file, a symbol or lines at HEAD: symbols, tests to run, entry points, services, "
        "owners. Ask before you change something that others use." + _CAP,
        asked.ReachArguments,
        told.ReachShown,
        f"{_HERE}.reach:reach_of",
    ),
    Tool(
        "who_wrote",
        "Who or what wrote these lines",
        "For lines of a committed file: person or agent, model, session, the human who answers, and how good the "
        "evidence is. Unknown does not mean human." + _CAP,
        asked.WhoArguments,
        told.WhoAnswer,
        f"{_HERE}.who:who_wrote",
    ),
    Tool(
        "guidance_for",
        "What holds for a path",
        "Before you edit a file: the rules that a change of it is held for, its owners, the commands that check it, "
        "what had to be repaired there, what changes together, conventions found by counting." + _CAP,
        asked.PathArguments,
        told.GuidanceAnswer,
        f"{_HERE}.guidance:guidance_for",
    ),
    Tool(
        "recent_incidents_for",
        "Incidents that a path had a part in",
        "Incidents in production that changes of this file or folder caused, from the configured Tidegate service. "
        "Where `known` is false no service was asked: that does not mean that there were none." + _CAP,
        asked.PathArguments,
        told.IncidentsAnswer,
        "",
        seconds=60,
        open_world=True,
    ),
    Tool(
        "simulate_policy",
        "Try a policy on the past",
        "What a policy would have done to changes that landed here, beside the policy of today: held, caught of those "
        "repaired later, delayed of the harmless. Give TOML text or a path. It changes no policy. Can take minutes."
        + _CAP,
        asked.SimulateArguments,
        told.SimulateAnswer,
        f"{_HERE}.simulate:simulate_policy",
        seconds=600,
    ),
    Tool(
        "declare_session",
        "Say that you wrote what is not committed",
        "Right before you commit: claims the lines of the work tree that are new against HEAD, and that nobody is "
        "recorded for, as yours. It counts as your own word, no more, and names no human but git's identity here.",
        asked.SessionArguments,
        told.SessionAnswer,
        f"{_HERE}.session:declare_session",
        writes=True,
    ),
    Tool(
        "attach_evidence",
        "Attach a report",
        "A coverage, JUnit, SARIF or mutation report of a run with your change, for assess_change and what_is_missing "
        "in this session. It proves nothing elsewhere: CI reads its own reports.",
        asked.EvidenceArguments,
        told.EvidenceAnswer,
        f"{_HERE}.evidence:attach_evidence",
        writes=True,
    ),
)


POLICY = Tool(
    "policy",
    "The policy at HEAD",
    "Every rule that a change of this repository is judged by.",
    asked.Paged,
    told.RuleAnswer,
    f"{_HERE}.rule:policy_rules",
    seconds=30,
)
"""What the resource of that name is read with; no tool that is offered."""


def find_tool(name: str, *, write: bool) -> Tool | None:
    """The tool that is offered under this name."""
    return next((tool for tool in TOOLS if tool.name == name and (write or not tool.writes)), None)


def read_arguments(tool: Tool, given: object) -> Any:
    """The arguments of a call. Raises InputError where they do not fit, with what was expected and where."""
    try:
        msgspec.json.encode(given)  # halves of characters, which nothing can be asked with
        return msgspec.convert(given, tool.arguments)
    except (msgspec.ValidationError, UnicodeError, RecursionError) as error:
        fields = ", ".join(tool.arguments.__struct_fields__)
        raise InputError(str(error), where=f"arguments of {tool.name}", mend=f"it takes {fields}") from error


def schema_of(type_: type[Struct]) -> dict[str, Any]:
    """The JSON Schema of a type, with an object at its root as clients want it."""
    (root,), parts = msgspec.json.schema_components([type_], ref_template="#/$defs/{name}")
    name = root["$ref"].rpartition("/")[2]
    own = parts.pop(name)
    return {**own, **({"$defs": parts} if parts else {})}
