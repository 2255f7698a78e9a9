"""The configuration file: what it may say, how it is read, and which of its keys have no effect yet."""
