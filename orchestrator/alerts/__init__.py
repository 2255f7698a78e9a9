"""Alerts: made of events, kept in the journal for 90 days."""
