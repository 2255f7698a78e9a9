"""The pipeline's steps, one file each. A step uses the app context, and does not call other steps."""
