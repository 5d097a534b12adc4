"""Metrics: gauges from the resources, counters of what the operator does, and the page that shows them."""
