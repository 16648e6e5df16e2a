"""What the service does about production: it watches deployments, opens incidents, traces and investigates them."""
