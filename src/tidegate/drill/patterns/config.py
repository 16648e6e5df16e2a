"""One value of configuration, everywhere at once."""

from __future__ import annotations

import re
from random import Random

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import YAML, line_of, replaced
from tidegate.drill.patterns.interface import Chance, Move, Pattern, Rule, Tale
from tidegate.drill.values import Source

_PLACE = re.compile(
    r"(?:^|/)(?:k8s|kubernetes|kustomize|helm|helm-chart|charts?|deploy|deployments?|manifests|config|configs|environments?|envs?|infra|base|common|defaults?|settings)/"
    r"|(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$|(?:^|/)values[\w.-]*\.ya?ml$|\.tfvars$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"^(\s*(?:-\s+)?)((?:[\w.-]*(?:timeout|memory|cpu|limit|quota|pool|connections?|replicas|max|min|rate|threshold|ttl|interval|size)[\w.-]*))(\s*:\s*|\s*=\s*)([\"']?\d[\w.]*[\"']?)\s*$",
    re.IGNORECASE,
)


def find(ground: Ground, seed: Random) -> Chance | None:
    """A limit in a file that deployments read; those that several of them share first."""
    paths = [path for path in ground.paths(*YAML, ".tfvars", ".properties", ".toml") if _PLACE.search(path)]
    found = [one for one in ground.lines(paths, _VALUE) if not _NOT_A_LIMIT.search(one[2][2])]
    found = [one for one in found if "compose" not in one[0] or _OF_COMPOSE.search(one[2][2])]
    telling = [one for one in found if _TELLING.search(one[2][2])]
    shared = [one for one in telling if _SHARED.search(one[0])]
    chosen = ground.choose(shared or telling or found, lambda one: one[0], seed)
    if chosen is None:
        return None
    path, number, match = chosen
    text, line = ground.text(path) or "", ""
    line = line_of(text, number)
    new = line[: match.start(4)].rstrip() if path.endswith(YAML) else line[: match.start(4)] + '""'
    readers = ground.count(path.rpartition("/")[2], ground.paths(*YAML, ".sh", ".py", ".tf", "Makefile", "Dockerfile"))
    said = f"; {len(readers)} other files name it" if readers else ""
    return Chance(
        path=path,
        line=number,
        edits={path: replaced(text, number, new)},
        what=f"leaves {match[2]} empty in {path}, which was {match[4]}, for everything that reads this file at once",
        why=f"{path} sets {match[2]} for what is deployed from it{said}",
        subject=f"Let {match[2]} follow the platform's default",
        prompt=f"Clean up {path}: values that only repeat defaults can go.",
        words={"thing": match[2], "was": match[4].strip("\"'")},
    )


PATTERN = Pattern(
    id="config-spreads-everywhere",
    title="One value, everywhere at once",
    needs="configuration of deployments with a limit in it (Kubernetes, Helm, compose, tfvars)",
    fits=62,
    sources=(
        Source(
            url="https://postmortems.app/postmortem/9deb5a9a-d55a-47fc-845f-a7fe3ebdb673",
            date="2025-06-12",
            fact="A policy with blank fields was inserted at Google Cloud and replicated to all regions within"
            " seconds; Service Control"
            " crashed on it everywhere, and APIs of Google Cloud failed for hours.",
        ),
        Source(
            url="https://blog.cloudflare.com/18-november-2025-outage/",
            date="2025-11-18",
            fact="A change of database permissions doubled the size of a feature file of Cloudflare, which was"
            " spread to the whole"
            " network and went beyond a limit of the proxy: core traffic failed for hours.",
        ),
        Source(
            url="https://www.crowdstrike.com/blog/technical-details-on-todays-outage/",
            date="2024-07-19",
            fact="A configuration update, Channel File 291, crashed the Windows hosts that were online and got it"
            " between 04:09 and"
            " 05:27 UTC, wherever they were.",
        ),
    ),
    find=find,
    tale=Tale(
        alert="{service} and everything else that reads {path} restarts in a loop. All environments, all regions.",
        graph="Healthy instances: from all to none in 90 seconds, everywhere at the same time. No deployment of code"
        " today.",
        claim="I removed a value that only repeated a default. It is configuration, so no test was needed.",
        noise="A colleague: “It must be the cloud provider, it is down everywhere. Or {decoy}?”",
        customer="{users}: “Is it just me? Your status page is down too.”",
        twist="The first value that was put back helps nobody: instances that restart all at once overload what they"
        " read from.",
        moves=(
            Move(
                "Put the last good configuration back in one place, see it work, then the others a few at a time",
                "The first environment is healthy after seven minutes, the last after 25.",
                "best",
                "what is repaired slowly does not fall over again",
            ),
            Move(
                "Put the last good configuration back everywhere at once",
                "All instances start together and overload what they depend on. It takes two hours.",
                "part",
                "the right change in the way that made the outage",
            ),
            Move(
                "Add instances, because there are too few healthy ones",
                "They read the same file and crash as well.",
                "poor",
                "more of the same cannot help where all are alike",
            ),
        ),
        back=True,
        lesson="Configuration is code that skips the tests. What goes everywhere at once has no place left to"
        " compare with.",
    ),
    rules=(
        Rule(
            id="drill-configuration-path",
            title="Two people approve {path}, which reaches everything at once",
            when=('change.files.exists(f, f.path == "{path_cel}")',),
            require='[{ approvals = 2, not = ["author", "prompter", "committer"] }]',
            reason="One value of this file reached everything at once.",
        ),
        Rule(
            id="drill-configuration-back",
            title="A change of what is deployed from {folder} says how it is taken back",
            when=('change.files.exists(f, f.path.startsWith("{folder_cel}") && f.kind == "config")',),
            require="[{ rollback = true }]",
            reason="Nobody had written down in which order to put the old configuration back.",
        ),
    ),
)


# Private

_SHARED = re.compile(
    r"(?:^|/)(?:base|common|defaults?|global|shared)[/.]|(?:^|/)values\.ya?ml$|(?:^|/)(?:docker-)?compose\.ya?ml$"
)
_OF_COMPOSE = re.compile(r"memory|cpus|limit", re.IGNORECASE)
"""A time-out in a compose file is mostly that of a health check."""
_TELLING = re.compile(r"memory|replicas|limit|quota|connections?|pool|timeout|ttl", re.IGNORECASE)
_NOT_A_LIMIT = re.compile(
    r"version|^max-(?:file|size)$|polling|^max-?age$|runasuser|uid|gid|port|minimum-release|maxlen", re.IGNORECASE
)
