"""Singer target for a Customcrm, with two-way sync."""
