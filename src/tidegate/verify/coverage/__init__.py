"""Which changed lines did tests execute? Reads coverage reports and never runs anything; writes `coverage`."""
