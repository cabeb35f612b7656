"""A target for Tripletex, as the SDK's cookiecutter makes it: it creates whatever comes."""
