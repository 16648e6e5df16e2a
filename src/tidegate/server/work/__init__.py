"""Background work: from a delivery to a decision. The inbox is the source of truth, the engine only runs."""
