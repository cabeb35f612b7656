"""A Customcrm and a Tripletex on this machine, with Norwegian sample data."""
