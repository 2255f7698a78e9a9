"""Where updates come from. Each source says what is newest, what it changes, and fetches one exact revision."""
