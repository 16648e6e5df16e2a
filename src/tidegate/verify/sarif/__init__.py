"""What did scanners find in the lines that a change adds? Reads SARIF 2.1.0 of any tool; writes `scanners`."""
