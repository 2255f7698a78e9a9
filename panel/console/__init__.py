"""The console: commands in plain words, what they mean, and their answers. `commands.py` has the table of them."""
