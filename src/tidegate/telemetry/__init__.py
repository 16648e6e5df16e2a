"""How production is measured: series of numbers and spans, from Prometheus, OTLP or CSV, as plain values."""
