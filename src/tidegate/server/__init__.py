"""The doors that other systems and people knock at: HTTP API, webhooks, console, sign-in, background work."""
