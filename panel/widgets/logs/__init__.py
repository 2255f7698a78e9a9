"""The log of an app: its containers merged or one alone, followed, searched in place."""
