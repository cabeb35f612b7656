"""Talking to a Customcrm: authentication, paging, errors, writes.

`client.CustomcrmClient` speaks the reference contract (`contract`); `schema` describes its records.
"""
