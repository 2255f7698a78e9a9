"""Notices to people: which ones, in which words, and how services get them. Apprise runs in child processes alone."""
