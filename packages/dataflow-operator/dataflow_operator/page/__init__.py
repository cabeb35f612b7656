"""The operator's page: what the commands tell and decide, in a browser.

Rendered here, with no script and nothing from elsewhere, so that it works in any browser and a strict content security
policy holds. What it tells comes from ``dataflow_operator.store``, as the commands' answers do, and what it decides is
the same function that the command calls.
"""
