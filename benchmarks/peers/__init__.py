"""What a team would take otherwise, written as its template or manual has it."""
