"""How a judge answers: one strict reader for each form."""
