"""Where an application may run: its tier, the evidence for it, and the place made for it."""
