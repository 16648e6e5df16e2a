"""Every check that is asked about a change, and the fields that it writes. A check is one folder and one line here."""

from __future__ import annotations

from msgspec import Struct

from tidegate.verify import runs
from tidegate.verify.access import check as access
from tidegate.verify.clones import check as clones
from tidegate.verify.contracts import check as contracts
from tidegate.verify.coverage import check as coverage
from tidegate.verify.debt import check as debt
from tidegate.verify.dependencies import check as dependencies
from tidegate.verify.failbefore import check as fail_before
from tidegate.verify.mutate import check as mutation
from tidegate.verify.sarif import check as scanners
from tidegate.verify.secrets import find_secrets
from tidegate.verify.suite import check as suite
from tidegate.verify.values import Check


class Asked(Struct, frozen=True):
    """A check with its name and the fields of the section that are unknown where it fails.

    `of_lines` is one that reads the changed lines alone, so that a bare diff is enough.
    """

    name: str
    check: Check
    writes: tuple[str, ...]
    of_lines: bool = False


CHECKS: tuple[Asked, ...] = (
    Asked("fail-before", fail_before.check, ("tests",)),
    Asked("mutation", mutation.check, ("mutation",)),
    Asked("dependencies", dependencies.check, ("dependencies", "unknown_dependencies")),
    Asked("secrets", find_secrets, ("secrets",), of_lines=True),
    Asked("suite", suite.check, ("suite",)),
    Asked("clones", clones.check, ("clones", "cloned_lines")),
    Asked("contracts", contracts.check, ("breaks",)),
    Asked("access", access.check, ("access_removed",)),
    Asked("coverage", coverage.check, ("coverage",)),
    Asked("test runs", runs.check, ("runs",)),
    Asked("scanners", scanners.check, ("scanners",)),
    Asked("debt", debt.check, ("debt",)),
)
