"""Terraform and OpenTofu: a plan's JSON, or the code where there is no plan, becomes a world before and after.

Secrets are taken away here, before anything else sees a value. Nothing is run and no provider is asked.
"""
