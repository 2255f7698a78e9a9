"""Files beneath a folder, read and written without leaving it. Standard library only: sidecars use it, too."""
