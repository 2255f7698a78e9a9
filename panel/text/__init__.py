"""Text that both the panel and the `changeover` command show."""
