"""Which of the known rows a challenger learns from: all, the latest, or all with older ones counting less.

Takes: the training part of a challenger's split, the problem, and the champion's configuration.
Gives: a ``WindowChoice`` with the figures it rests on, and the split cut or weighted by it.
Never: looks at validation or test rows, or takes a row out of them.
"""

from modelyard.retraining.windows.records import WindowChoice, WindowKind, WindowPolicy, WindowTrial

__all__ = ["WindowChoice", "WindowKind", "WindowPolicy", "WindowTrial"]
