"""The sources of updates. Each finds the newest release and its changes, and fetches one exact source revision."""
