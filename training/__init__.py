"""What makes the shipped weights; nothing here is needed to clean pages."""
