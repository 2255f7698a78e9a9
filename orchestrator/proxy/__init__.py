"""The proxy: HAProxy's configuration, maps and runtime API, and the switch."""
