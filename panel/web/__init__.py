"""The panel in the browser: one app process per browser session behind a WebSocket."""
