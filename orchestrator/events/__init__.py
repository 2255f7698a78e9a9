"""The event stream and its notifiers."""
