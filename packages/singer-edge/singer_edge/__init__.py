"""What the Singer taps and targets of a two-way sync share: reads that acknowledge, targets that lose no record."""
