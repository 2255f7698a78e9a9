"""Deploy, roll back and restore. `plans.py` has the list of steps of each."""
