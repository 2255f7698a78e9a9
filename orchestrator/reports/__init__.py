"""Reports to the forge that a commit comes from."""
