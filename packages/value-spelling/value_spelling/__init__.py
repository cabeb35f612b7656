"""One value, several spellings: what a text says, once for whoever writes values and once for whoever compares them.

- ``phone``: whether a text is a phone number, all of it and nothing else.
- ``organisation_number``: the number in a text, however people write it, and the spellings that it may be kept in.
- ``name``: the words of a person's name, in whichever fields they stand.
- ``text``: composed characters, e-mail addresses without blanks.
"""
