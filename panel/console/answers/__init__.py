"""The answers of the commands that change nothing: a function each, by the command's name in `of_all.py`."""
