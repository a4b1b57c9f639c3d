"""What a scenario does, and how it is judged."""
