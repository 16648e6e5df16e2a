"""GitHub and GitLab behind one Protocol. What a webhook says is only a hint: the state is read from the forge."""
