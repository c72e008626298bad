"""Training Dynamics Workbench: how does behaviour X change across training?"""

__version__ = "0.1.0"
