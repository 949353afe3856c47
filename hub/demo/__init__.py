"""What shows the hub at work: real input from a public data set, and a simulated bakery.

Nothing in the hub imports this package but the command `hub demo`; it needs the extra `demo`.
"""

from hub.demo.options import DemoOptions

__all__ = ["DemoOptions", "run"]


def run(options: DemoOptions) -> int:
    """Run the demo; its exit status: 0 if every proof holds."""
    # Loads pandas and the data set's package: not before somebody asks for it.
    from hub.demo.runner import run as run_demo

    return run_demo(options)
