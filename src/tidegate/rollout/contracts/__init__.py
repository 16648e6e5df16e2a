"""How others ask the gate, and what they understand of its answer: one module for each contract, bytes to bytes.

Every module reads a request (`read`) into an `Asked`, and answers with what that sender does the right thing on. None
of them looks anything up, checks a signature or sends anything: whoever serves them does.
"""
