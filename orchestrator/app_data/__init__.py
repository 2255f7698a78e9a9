"""An app's data: migrations, backups, and the replacement of data by a backup."""
