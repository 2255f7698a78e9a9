"""The border for text from outside: what build tools, repositories, apps and people wrote, before it is kept or shown.

The orchestrator and the panel use it alike. It uses the standard library only.
"""
