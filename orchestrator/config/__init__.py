"""The configuration file: its keys, how it is read and checked, and which keys have no effect yet."""
