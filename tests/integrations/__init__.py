"""The hook, the action and the template."""
