"""Tokens and their scopes."""
