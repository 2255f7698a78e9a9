"""Limits of the HTTP servers, for the API and the panel: connections, headers, bodies, and readers that stall."""
