"""YAML whose faults are told with file, line and what to do: for files that people write."""

from located_yaml.fault import Fault, Place, suggestion
from located_yaml.node import Node, named, parse, read_file
from located_yaml.structs import read_struct

__all__ = ["Fault", "Node", "Place", "named", "parse", "read_file", "read_struct", "suggestion"]
