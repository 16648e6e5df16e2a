"""From a fix back to the changes that introduced what it repaired."""
