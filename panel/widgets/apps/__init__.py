"""The list of apps on the dashboard: a line for each, as many columns as there is room for."""
