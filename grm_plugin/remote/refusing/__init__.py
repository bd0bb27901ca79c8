"""What goes wrong between us and a judge server, and what the server says of it."""
