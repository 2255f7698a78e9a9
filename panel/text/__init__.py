"""How values are written out, as text that the panel and the `changeover` command both show."""
