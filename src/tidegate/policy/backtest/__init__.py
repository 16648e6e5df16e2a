"""What a policy would have done to last year: its rules over facts of earlier changes, and what became of those."""
