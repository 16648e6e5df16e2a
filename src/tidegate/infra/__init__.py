"""What a change does to infrastructure: readers turn plans, code and manifests into worlds, rules say their effects."""
