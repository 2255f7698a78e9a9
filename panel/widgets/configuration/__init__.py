"""The Configuration tab."""
