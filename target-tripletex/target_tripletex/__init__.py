"""Singer target for Tripletex, with two-way sync."""

from singer_edge.start import Command

main = Command("target_tripletex.target", "TargetTripletex")
