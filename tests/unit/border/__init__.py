"""Text from outside at the border."""
