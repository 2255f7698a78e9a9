"""The second tab of an app: its deployments, the newest first."""
