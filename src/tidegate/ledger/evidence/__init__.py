"""Was everything that reached a protected branch decided, approved and tested? Evidence that stands without us.

Every commit of a branch is joined to what the ledger says of it, or listed as an exception of a named kind; nothing is
left out. Git, forge and deployments come in as plain values. It judges no rule of anybody: it says what evidence was
found and what was missing, never that somebody complies.
"""
