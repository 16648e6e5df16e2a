"""What `tidegate verify fail-before` found, kept beside the repository for exactly the trees that it was found for."""

from __future__ import annotations

from tidegate.verify.failbefore.values import Result
from tidegate.verify.kept import Kept

KEPT = Kept(Result, "fail-before", "the changed tests were not run without the change", "tidegate verify fail-before")
read_kept, write_kept = KEPT.read, KEPT.write
