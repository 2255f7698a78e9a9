"""What happened: the log of all apps, and that of one."""
