"""Questions of a bot."""
import random

open("should-never-be-made", "w").close()  # importing this file would do it

QUESTIONS = [
    {
        "question": "What does torch.tensor([1, 2, 3]).sum() return?",
        "options": ["tensor(6)", "tensor(3)", "tensor(5)"],
        "answer": 0,
        "explanation": "One and two and three.",
    },
    {
        "question": "What does torch.zeros(2, 2).numel() return?",
        "options": ["2", "4"],
        "answer": 0,
    },
    {"question": f"What is {random.random()}?", "options": ["a number", "a word"], "answer": 1},
]
