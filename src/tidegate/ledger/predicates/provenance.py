"""SLSA Provenance v1 of a commit that an agent wrote: the agent is the build, the commit its product."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tidegate.ledger.fields import (
    Name,
    OptionalCommitment,
    OptionalPerson,
    OptionalTime,
    OptionalUri,
    Part,
    Predicate,
    Resource,
    Time,
    Uri,
    check_times,
)

TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:tidegate:build-type:agent-commit:1"


class Task(Part, frozen=True, kw_only=True):
    """What the agent was given. The prompt is a commitment; who gave it is a pseudonym. Either is left out where it is
    not known, which is said by that alone."""

    repository: Uri
    base: Resource
    prompt: OptionalCommitment = ""
    requester: OptionalPerson = ""


class Run(Part, frozen=True, kw_only=True):
    """What did the work, as far as whoever signs could see, and by which evidence (E0 to E5)."""

    agent: Name
    model: Name
    session: OptionalCommitment = ""
    evidence: Annotated[str, Meta(pattern=r"\A(?:E[0-5])?\Z")] = ""


class BuildDefinition(Part, frozen=True, kw_only=True):
    build_type: Literal["urn:tidegate:build-type:agent-commit:1"] = "urn:tidegate:build-type:agent-commit:1"
    external_parameters: Task
    internal_parameters: Run
    resolved_dependencies: Annotated[tuple[Resource, ...], Meta(max_length=256)] = ()


class Builder(Part, frozen=True, kw_only=True):
    """The platform that ran the agent, watched it, and signs. It is not the agent."""

    id: Uri
    version: dict[Name, Name] = msgspec.field(default_factory=dict)


class Metadata(Part, frozen=True, kw_only=True):
    started_on: Time
    finished_on: Time
    invocation_id: OptionalUri = ""

    def __post_init__(self) -> None:
        check_times(self.started_on, self.finished_on)


class RunDetails(Part, frozen=True, kw_only=True):
    builder: Builder
    metadata: Metadata
    byproducts: Annotated[tuple[Resource, ...], Meta(max_length=64)] = ()


class AgentProvenance(Predicate, frozen=True, kw_only=True):
    build_definition: BuildDefinition
    run_details: RunDetails
    recorded: OptionalTime = msgspec.field(default="", name="tidegate_recorded")

    @property
    def time(self) -> str:
        return self.run_details.metadata.finished_on
