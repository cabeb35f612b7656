"""Property tables of a dataflow, and the Singer mapper made of them."""
