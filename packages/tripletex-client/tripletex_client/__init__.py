"""Talking to Tripletex: session tokens, fields, paging, checksum, rate limit, errors, writes."""
