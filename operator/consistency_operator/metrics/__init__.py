"""Metrics: gauges from the resources, counters of what the operator does, and the page that shows them.

`gauges` are pure functions from a check to numbers; `exposition.Metrics` counts, and writes all in Prometheus' format.
"""
