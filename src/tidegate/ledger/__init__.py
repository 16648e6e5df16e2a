"""What happened, provably: a Merkle log of signed statements that outside witnesses watch."""
