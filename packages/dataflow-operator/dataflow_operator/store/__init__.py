"""The link store as an operator sees it. The only place with SQL; rows come out as structs.

Reading takes one snapshot and no lock, so that it works while a run is going. Changing is one transaction that names
the state it expects, so that a run that goes on meanwhile is never talked over; only what a run's end would undo
(``let_through``) takes the run's lock.
"""
