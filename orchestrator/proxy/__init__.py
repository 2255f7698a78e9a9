"""Traffic: HAProxy's configuration, its maps, its runtime socket, and the switch."""
