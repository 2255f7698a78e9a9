"""What runs inside sidecars: backups of an app's data are made, checked and restored. Standard library only."""
