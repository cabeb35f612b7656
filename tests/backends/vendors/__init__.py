"""Imitations of vendors' CRMs, made of their published descriptions; none was tried on the real thing."""
