"""Every family of files that says what infrastructure is. A family is one folder and one line in this list."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.infra.cloudformation import family as cloudformation
from tidegate.infra.kubernetes import family as kubernetes
from tidegate.infra.pipelines import family as pipelines
from tidegate.infra.sql import family as sql
from tidegate.infra.terraform import family as terraform
from tidegate.infra.values import Found


class Family(Struct, frozen=True):
    """One kind of files. `claims` says from a path alone whether a file may be one; `read` gets those that changed,
    looks into them, and names in `Found.files` the ones that were."""

    name: str
    claims: Callable[[str], bool]
    read: Callable[[Trees, tuple[Pair, ...]], Found]


FAMILIES: tuple[Family, ...] = (
    Family("terraform", terraform.claims, terraform.read),
    Family("cloudformation", cloudformation.claims, cloudformation.read),
    Family("kubernetes", kubernetes.claims, kubernetes.read),
    Family("workflows", pipelines.claims_workflow, pipelines.read_workflows),
    Family("pipelines", pipelines.claims_gitlab, pipelines.read_gitlab),
    Family("containers", pipelines.claims_container, pipelines.read_containers),
    Family("flags", pipelines.claims_flags, pipelines.read_flags),
    Family("zones", pipelines.claims_zone, pipelines.read_zones),
    Family("sql", sql.claims, sql.read),
)
