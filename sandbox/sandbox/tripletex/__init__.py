"""A Tripletex: the operations of its API that the taps and targets use, faithful to its description."""

from sandbox.tripletex.refusal import TripletexRefusal
from sandbox.tripletex.system import Tripletex

__all__ = ["Tripletex", "TripletexRefusal"]
