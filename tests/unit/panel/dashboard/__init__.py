"""The dashboard: its list, its plots, its tabs."""
