"""What adapters for trainers share."""
