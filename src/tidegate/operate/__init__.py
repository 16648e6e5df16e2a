"""What production says: alerts, detection, incidents, the trace back to the line, the map of an environment."""
