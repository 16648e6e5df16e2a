"""What a change leaves behind to be paid later: the group `verification.debt`, and a finding for each place.

Growth, never state: what stood there before, or only moved, is not said. Files are read and parsed, never run.
"""
