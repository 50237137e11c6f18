"""The worker's side: what runs beside programs, in the sandbox. Standard library and torch only."""
