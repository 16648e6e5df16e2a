"""What earlier changes say about this one: a ladder of models, calibrated on what came after, and judged by it."""
