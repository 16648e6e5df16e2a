"""Insight over the service: its tables as the values that `tidegate.insight` counts. No pages."""
