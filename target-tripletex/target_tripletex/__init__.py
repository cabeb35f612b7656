"""Singer target for Tripletex, with two-way sync."""
