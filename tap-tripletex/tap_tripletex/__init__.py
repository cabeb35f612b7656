"""Singer tap for Tripletex, the Norwegian accounting system."""

from singer_edge.start import command

main = command("tap_tripletex.tap", "TapTripletex")
