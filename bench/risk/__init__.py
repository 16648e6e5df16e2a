"""The benchmarks of risk and history, one module a bar: `python -m bench.risk.NAME`."""
