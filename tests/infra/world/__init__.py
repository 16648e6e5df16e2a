"""A small cloud to plan against: OpenTofu and Terraform themselves, and a provider whose cloud is a file.

`schemas.txt` says what the resources look like, `provider.py` serves them, `tools.py` installs the programs, `lab.py`
applies and plans. Nothing of it is shipped: Terraform is under the BUSL and is used by tests alone.
"""
