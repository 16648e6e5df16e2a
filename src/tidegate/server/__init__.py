"""The doors that other systems knock at. So far one: a run task of HCP Terraform, as functions without a network."""
