"""A Tripletex: the operations of its API that the taps and targets use, as it is recorded to behave."""

from sandbox.tripletex.refusal import TripletexRefusal
from sandbox.tripletex.system import DEFAULT, Tripletex
from sandbox.tripletex.variants import Variant

__all__ = ["DEFAULT", "Tripletex", "TripletexRefusal", "Variant"]
