"""What kinds of item share: claims and their proofs, reading and running answers, inputs, mutants, diagnosis."""
