"""The revisions, oldest first. They spell the tables out: what ``tables`` says today is no matter of theirs."""
