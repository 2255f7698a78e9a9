"""The numbers of each app's traffic: sampled from the proxy, kept for hours and days, and told once a second."""
