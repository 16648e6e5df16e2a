"""For the machines that write code: hooks that record edits, a guard for commands, guidance."""
