"""Singer target for a Customcrm, with two-way sync."""

from singer_edge.start import Command

main = Command("target_customcrm.target", "TargetCustomcrm")
