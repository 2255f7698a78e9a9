"""The terms of the product as value types, and decisions on them. No I/O, no import from the rest of the project."""
