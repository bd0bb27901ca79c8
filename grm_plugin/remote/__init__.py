"""What talks to judge servers over HTTP. Knows no torch."""
