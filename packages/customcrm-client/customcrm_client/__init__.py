"""Talking to a CRM as its profile describes it: authentication, paging, changes, errors, writes.

`client.CustomcrmClient` does; `profile` is the format, `loading` reads one, `probing` tries one on its CRM.
"""
