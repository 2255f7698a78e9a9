"""The Data tab: backups and schema of an app."""
