"""The shop's own source, as the first commits of its repository have it."""
