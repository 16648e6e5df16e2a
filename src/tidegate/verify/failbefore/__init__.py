"""Do the changed tests fail without the change? Runs them both ways, only when asked by `tidegate verify fail-before`.

The check reads back what was found for exactly this change. Skipped, broken and flaky tests are never accused.
"""
