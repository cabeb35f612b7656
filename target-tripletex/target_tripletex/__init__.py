"""Singer target for Tripletex, with two-way sync."""

from singer_edge.start import command

main = command("target_tripletex.target", "TargetTripletex")
