"""Who may do what: tokens, sessions of the panel, slowed guessing, and the audit log."""
