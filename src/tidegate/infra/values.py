"""The values that infrastructure is judged by: a world before and after, what changes in it, and what is said of it.

Every reader (Terraform plan, Terraform code, CloudFormation, Kubernetes) makes a `World`; every rule reads worlds.
Names of types and attributes are Terraform's where it has one (`aws_db_instance`, `storage_encrypted`), so that one
rule judges a plan, code and a template alike; `ResourceChange.spelled` keeps what the source wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.facts import Certainty, DriftFact, EffectCode, Place, Severity, Unjudged
from tidegate.infra.graph import NO_USES, Uses


class Hidden(Struct, frozen=True):
    """A secret that a reader took away. Equal secrets of one document have the same number, so a change still shows."""

    number: int


class Later(Struct, frozen=True):
    """A value that is known only after apply, or that code does not settle: a variable, a call, an import."""

    words: str = ""


Value: TypeAlias = Any
"""JSON, with `Hidden` and `Later` among its leaves."""

Action: TypeAlias = Literal["no-op", "create", "read", "update", "delete", "replace", "forget", "import"]


class Resource(Struct, frozen=True):
    """One thing that exists in a world. `address` is unique in it and reads as people write it."""

    address: str
    type: str
    values: Mapping[str, Value]
    place: Place = Place("")


class ResourceChange(Struct, frozen=True):
    """What happens to one resource.

    `before` is None for a create, `after` for a delete. `forced_by` are the attributes that force a replacement, with
    dots (`ingress.0.description`). `why` is the tool's own reason. `spelled` maps an attribute as rules name it to what
    the source wrote. `certainty`: a plan is certain; what code alone shows is likely, or possible where a value that
    nobody can read decides it.
    """

    address: str
    type: str
    action: Action
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    forced_by: tuple[str, ...] = ()
    create_first: bool = False
    why: str = ""
    moved_from: str = ""
    certainty: Certainty = "certain"
    place: Place = Place("")
    spelled: Mapping[str, str] = {}

    @property
    def destroyed(self) -> bool:
        """Whether the object that exists now goes away."""
        return self.action in ("delete", "replace")


class Mitigation(Struct, frozen=True):
    """Something that makes an effect less grave: `steps` levels less. 0 is named only."""

    words: str
    steps: int = 0


class Draft(Struct, frozen=True):
    """What a rule says: an effect as if in production and by a human's hand. `judge` makes the effect of it.

    `reason` is the sentence that a careful SRE would say; it stands alone and names the attribute, the values and what
    is lost. `back` says how it is taken back, and `reversible` whether that restores everything. `environment` is ""
    where the resource of this address says it, or the folder. `path` is what was cut, entry first. `fixed` keeps the
    severity whatever the environment. `code_only` marks what no plan shows (removed prevent_destroy, provisioners).
    """

    code: EffectCode
    severity: Severity
    address: str
    reason: str
    reversible: bool
    back: str = ""
    dependents: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    mitigations: tuple[Mitigation, ...] = ()
    certainty: Certainty | None = None
    place: Place = Place("")
    environment: str = ""
    fixed: bool = False
    code_only: bool = False


class World(Struct, frozen=True):
    """Everything that one source shows of a stack, before and after.

    `source` reads as `terraform plan`; `name` is the plan's file, the folder of the code or the template's path.
    `before` and `after` hold what does not change too, by address. `uses_*` say which resource needs which.
    `partial` says why this world is not all of it (a plan made with -target), "" where it is.
    """

    source: str
    name: str
    changes: tuple[ResourceChange, ...] = ()
    before: Mapping[str, Resource] = {}
    after: Mapping[str, Resource] = {}
    uses_before: Uses = NO_USES
    uses_after: Uses = NO_USES
    partial: str = ""
    environment: str = ""


class Found(Struct, frozen=True):
    """What one family of files or one plan comes to, before judgement. `files` were read for it."""

    worlds: tuple[World, ...] = ()
    drafts: tuple[Draft, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    drift: tuple[DriftFact, ...] = ()
    files: tuple[str, ...] = ()


Rule: TypeAlias = Callable[[World], Iterable[Draft | Unjudged]]
"""One question about a world. It yields what it can say and, where it cannot tell, an `Unjudged`."""
