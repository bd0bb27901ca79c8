"""How the reference judge is made and measured. Needs torch."""
