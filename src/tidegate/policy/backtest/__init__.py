"""What a policy would have done to last year: its rules over the facts of earlier changes, beside what became of them."""
