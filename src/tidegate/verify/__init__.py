"""What was really verified of a change, and what it leaves behind. Nothing here runs code unless it is asked to."""
