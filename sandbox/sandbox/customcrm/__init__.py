"""A Customcrm: the reference REST contract that tap-customcrm and target-customcrm speak."""

from sandbox.customcrm.system import Customcrm

__all__ = ["Customcrm"]
