"""The panel's widgets, each in a module of its own with its styles beside it."""
