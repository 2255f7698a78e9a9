"""`python -m panel.cli`: the same as `changeover`."""

from __future__ import annotations

from panel.cli.start import main

if __name__ == "__main__":
    main()
