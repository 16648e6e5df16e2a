"""CloudFormation and SAM: templates and change sets become worlds with Terraform's names, so that the same rules judge.

Never asks AWS anything, and never guesses a value: what a deployment decides is `Later`.
"""
