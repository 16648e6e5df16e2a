"""Which revision ran before, where nobody recorded deployments."""

from __future__ import annotations

from tidegate.change.git import Repository
from tidegate.errors import InputError


def previous_of(repository: Repository, deployed: str) -> str:
    """The commit of the nearest tag below a revision. Raises InputError where there is none."""
    answer = repository.run("describe", "--tags", "--abbrev=0", f"{deployed}^", ok=(0, 128)).decode("utf-8", "replace")
    if not answer.strip():
        raise InputError(
            "no tag lies below the deployed revision", where="--previous", mend="name the revision that ran before"
        )
    return repository.resolve(f"refs/tags/{answer.strip()}")
