"""The program of backup sidecars: makes, checks and restores backups. Standard library only."""
