"""When production moves: anomalies, change points, burn rates, regressions after a deployment, who moved first.

Plain functions over `telemetry.series.Series`. Nothing here names a cause: it says what moved, when, and how sure; a
series that says nothing is "no data", never "fine".
"""
