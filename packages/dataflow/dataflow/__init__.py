"""Property tables of a dataflow, and the Singer mapper made of them.

`tables.Dataflow` reads and checks the tables; `mapper.DataflowMapper` is the Singer mapper; `conversion.CONVERSIONS`
are the ways in which a value is written on the other side.
"""

from singer_edge.start import Command

main = Command("dataflow.mapper", "DataflowMapper")
