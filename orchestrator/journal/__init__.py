"""The journal: the durable record of what is intended, running and done."""
