"""How a change reaches production: deployments and their changes, gates, freeze windows, canaries, redeploy cycles."""
