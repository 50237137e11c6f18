"""The learner's side: what is asked, what becomes of an answer, what is on record, what is due."""
