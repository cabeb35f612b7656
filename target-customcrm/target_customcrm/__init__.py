"""Singer target for a Customcrm, with two-way sync."""

from singer_edge.start import command

main = command("target_customcrm.target", "TargetCustomcrm")
