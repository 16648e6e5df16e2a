"""What happened in this repository: its commits, mined once by one `git log` and kept beside the graph."""
