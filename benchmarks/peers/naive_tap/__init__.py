"""A tap for Tripletex and for a Customcrm, as the SDK's cookiecutter makes it."""
