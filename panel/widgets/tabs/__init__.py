"""The tabs of the selected app."""
