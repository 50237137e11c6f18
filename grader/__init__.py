"""torch-grader: quizzes and lessons for PyTorch in which every answer is proven by running it."""

__version__ = "0.1.0"
