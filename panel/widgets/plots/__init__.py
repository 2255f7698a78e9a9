"""Plots of an app's numbers over time."""
