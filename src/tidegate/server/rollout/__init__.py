"""Gates and canaries in the service: a question becomes a decision, the decision an entry, and only then an answer."""
