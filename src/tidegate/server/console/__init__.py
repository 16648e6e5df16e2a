"""The pages of the console: rendered here, small ES modules of our own, no build step."""
