"""Norwegian sample data: a few hundred invented companies, their people, and products."""

from sandbox.norwegian.loading import TWINS, load_norwegian
from sandbox.norwegian.oddities import Oddities, load_oddities

__all__ = ["TWINS", "Oddities", "load_norwegian", "load_oddities"]
