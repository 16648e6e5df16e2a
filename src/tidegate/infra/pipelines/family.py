"""Which files are pipelines, images, flags and zones, by their names, and who reads each kind."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from tidegate.change.trees import Pair, Trees
from tidegate.infra.values import Found

_OUT = re.compile(
    r"(^|/)(node_modules|testdata|fixtures?|__fixtures__|__snapshots__|vendor|third_party|golden|examples?)/"
)
_WORKFLOW = re.compile(r"^\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml$")
_ACTION = re.compile(r"(^|/)action\.ya?ml$")
_CI = re.compile(r"(^|/)\.?(ci|pipelines?)/([\w.-]+/)*[\w.-]+\.ya?ml$")
_GITLAB = re.compile(
    r"(^|/)(\.gitlab-ci[\w.-]*\.ya?ml|\.?gitlab(-ci)?/([\w.-]+/)*[\w.-]+\.ya?ml|[\w.-]+\.gitlab-ci\.ya?ml)$"
)
_STAGED = re.compile(
    r"(^|/)(Jenkinsfile[\w.-]*|[\w.-]+\.Jenkinsfile|\.circleci/config\.ya?ml|azure-pipelines[\w.-]*\.ya?ml)$"
)
_DOCKERFILE = re.compile(r"(^|/)((Dockerfile|Containerfile)([.-][\w.-]+)?|[\w.-]+\.([Dd]ockerfile|[Cc]ontainerfile))$")
_COMPOSE = re.compile(r"(^|/)(docker-)?compose([.-][\w.-]+)?\.ya?ml$")
_FLAGS = re.compile(
    r"(?i)(^|/)((feature[-_]?)?(flags?|toggles?|features)([._-][\w.-]*)?\.(ya?ml|json|toml)|(flagd|unleash|flipt|growthbook"
    r"|openfeature|flipper|launchdarkly)[\w.-]*\.(ya?ml|json|toml)|[\w.-]+\.flagd?\.json|[\w.-]+\.features\.ya?ml)$"
)
_FLAG_FOLDER = re.compile(
    r"(?i)(^|/)(flagd|unleash|flipt|growthbook|openfeature|flipper|feature[-_]?(flags?|toggles?)|flags)/([\w.-]+/)?[\w.-]+\.(ya?ml|json|toml)$"
)
_ZONE = re.compile(
    r"(?i)(^|/)([\w.-]+\.(zone|dns)|db\.[\w.-]+\.[a-z]{2,}|zones?/[\w.-]+\.(zone|db|ya?ml|txt)|[\w.-]+\.zone\.ya?ml)$"
)
_OCTODNS = re.compile(
    r"(?i)(^|/)(octodns|dns|zones|dnscontrol)/([\w.-]+/)*([\w-]+\.)+[a-z]{2,}\.?\.ya?ml$|(^|/)dnsconfig\.(js|ts)$"
)


def claims_workflow(path: str) -> bool:
    """Whether a file is a workflow of GitHub, or an action."""
    return bool(_WORKFLOW.search(path)) or (bool(_ACTION.search(path)) and not _OUT.search(path))


def read_workflows(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed workflows and actions permit, loosen or bring in."""
    from tidegate.infra.pipelines.workflows import read

    return read(trees, pairs)


def claims_gitlab(path: str) -> bool:
    """Whether a file is a pipeline of GitLab, Jenkins, CircleCI or Azure."""
    return bool(_GITLAB.search(path) or _STAGED.search(path) or _CI.search(path)) and not _OUT.search(path)


def read_gitlab(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed pipelines of other houses loosen."""
    from tidegate.infra.pipelines.gitlab import read

    return read(trees, pairs)


def claims_container(path: str) -> bool:
    """Whether a file says how an image is built or a set of containers is run."""
    return bool(_DOCKERFILE.search(path) or _COMPOSE.search(path)) and not _OUT.search(path)


def read_containers(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed image builds and compose files change for what runs."""
    from tidegate.infra.pipelines.compose import read as read_compose
    from tidegate.infra.pipelines.dockerfile import read as read_dockerfile

    built = read_dockerfile(trees, [pair for pair in pairs if _DOCKERFILE.search(pair.path)])
    run = read_compose(trees, [pair for pair in pairs if _COMPOSE.search(pair.path)])
    return Found(
        drafts=(*built.drafts, *run.drafts), unjudged=(*built.unjudged, *run.unjudged), files=(*built.files, *run.files)
    )


def claims_flags(path: str) -> bool:
    """Whether a file may declare feature flags."""
    return bool(_FLAGS.search(path) or _FLAG_FOLDER.search(path)) and not _OUT.search(path)


def read_flags(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed flags switch on or off for everybody."""
    from tidegate.infra.pipelines.flags import read

    return read(trees, pairs)


def claims_zone(path: str) -> bool:
    """Whether a file may be a zone, of a name server or of octoDNS or DNSControl."""
    return bool(_ZONE.search(path) or _OCTODNS.search(path)) and not _OUT.search(posixpath.dirname(path) + "/")


def read_zones(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What names stop to answer, or answer otherwise."""
    from tidegate.infra.pipelines.zones import read

    return read(trees, pairs)
