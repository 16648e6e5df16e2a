"""What `tidegate verify mutate` found, kept beside the repository for exactly the trees that it was found for."""

from __future__ import annotations

from tidegate.verify.kept import Kept
from tidegate.verify.mutate.values import Mutation

KEPT = Kept(Mutation, "mutation", "no faults were put into the changed lines", "tidegate verify mutate")
read_kept, write_kept = KEPT.read, KEPT.write
