"""What people get who install the package without our constraints: `make test-newest`."""
