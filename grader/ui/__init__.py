"""Faces: they draw prompts and pass raw answers on. No face sees a key before an answer is judged."""
