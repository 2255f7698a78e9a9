"""The durable record of what is intended, under way and done."""
