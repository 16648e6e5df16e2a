"""Deployments as their senders report them. One module for each sender, one line for each in `listing.py`.

A reader is `read(body, headers)`: it answers what a message says, `NotUsed` for a kind of message that says nothing of
deployments, and raises InputError for what its sender would never write. It knows no clock, no network, no database.
"""
