"""The pipeline's steps, a file each. A step knows the app's context, and never another step."""
