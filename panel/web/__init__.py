"""The panel in the browser: one app process per browser session, connected by a WebSocket."""
