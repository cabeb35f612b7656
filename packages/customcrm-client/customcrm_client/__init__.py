"""Talking to a Customcrm: authentication, paging, errors, writes."""
