"""What the Singer taps and targets of a two-way sync share: reads that acknowledge, targets that never lose a record."""
