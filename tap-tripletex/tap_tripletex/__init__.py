"""Singer tap for Tripletex, the Norwegian accounting system."""

from singer_edge.start import Command

main = Command("tap_tripletex.tap", "TapTripletex")
