"""Singer tap for a Customcrm."""
