"""Is everything as it must be?"""
