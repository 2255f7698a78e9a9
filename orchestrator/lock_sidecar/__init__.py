"""What runs in a sidecar beside the standby: which locks on the app's data it holds."""
