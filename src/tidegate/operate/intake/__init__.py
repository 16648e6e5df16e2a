"""Alerts, errors and deployments as their senders report them: one module for each sender, one line in `listing.py`.

A reader is `read(body, headers)`, as those of `rollout/intake` are. A sender that signs has `is_signed` beside it, and
nothing that it sends is read before that.
"""
