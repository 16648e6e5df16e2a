"""WHAT MUST BE TRUE: rules, conditions, approvals, CODEOWNERS, packs. Facts and a policy in, a verdict out.

Deciding is a pure function. No fault, timeout, deleted fact or hostile input may make its verdict more permissive.
"""
