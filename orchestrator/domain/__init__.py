"""The words of the product as values, and decisions made on them. No I/O, no import from the rest of the project."""
