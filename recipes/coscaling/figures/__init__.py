"""What the co-scaling study came to."""
