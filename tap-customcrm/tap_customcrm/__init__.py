"""Singer tap for a Customcrm."""

from singer_edge.start import command

main = command("tap_customcrm.tap", "TapCustomcrm")
