"""Singer tap for Tripletex, the Norwegian accounting system."""
