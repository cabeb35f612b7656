"""Singer tap for a Customcrm."""

from singer_edge.start import Command

main = Command("tap_customcrm.tap", "TapCustomcrm")
