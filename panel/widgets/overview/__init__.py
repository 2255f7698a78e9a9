"""The first tab of an app: its releases, and its numbers over the last minutes."""
