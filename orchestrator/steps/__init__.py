"""The pipeline's steps, one module each. A step knows its site and never another step."""
