"""What adapters for trainers share, and the one reader of rows for all doors."""
