"""Checks of the installation (`changeover doctor`)."""
