"""What a person typed, told apart from what a terminal answers by itself."""
