"""Which changes had to be repaired, who says so, how sure that is, and since when it is known."""
