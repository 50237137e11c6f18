"""Knobs to turn in a notebook: `experiment()` shows what a learning-rate schedule does to a real training run.

The widget runs on anywidget, so in JupyterLab, Notebook, VS Code and Colab. Nothing is loaded from the network.
"""

from grader.knobs.widget import Experiment, experiment

__all__ = ["Experiment", "experiment"]
