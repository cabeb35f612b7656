"""Both systems' APIs as fast as a process can answer: records are ready as bytes, and every request is counted."""
