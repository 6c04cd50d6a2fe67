"""gradscan, as a training script uses it: says what DistributedDataParallel will do with a model and its gradient
checkpointing.

    gradscan.export(model, args, "model.pt")              TorchScript with the checkpoint regions in it
    gradscan.record(model, args, "model.capture.json")    the same knowledge from one eager run, for what cannot be traced
    report = gradscan.check(model, args)                  the report as an object, for a test of one's own
    with gradscan.explain(ddp_model): ...                 explains DDP's error in the place where it is raised

The files are read by the command line tool: `gradscan model.pt`.
"""

from gradscan.check import check
from gradscan.errors import DDPError, Error, TracingError
from gradscan.explain import explain
from gradscan.export import export
from gradscan.record import record
from gradscan.report import Parameter, Report, Verdict
from gradscan.version import version

__all__ = ["DDPError", "Error", "Parameter", "Report", "TracingError", "Verdict", "check", "explain", "export", "record"]
__version__ = version()
