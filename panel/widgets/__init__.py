"""The panel's widgets, one module each, with their styles."""
