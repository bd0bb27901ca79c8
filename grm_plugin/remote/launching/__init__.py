"""Judge servers of our own: how they are started, watched and ended."""
