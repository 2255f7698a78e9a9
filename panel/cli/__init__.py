"""The `changeover` command: one file per group of commands."""
