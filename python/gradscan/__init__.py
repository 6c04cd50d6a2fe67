"""Finds out, from inside a training script, what DistributedDataParallel will do with a model and its gradient checkpointing.

    gradscan.export(model, args, "model.pt")              TorchScript that keeps the checkpoint regions
    gradscan.record(model, args, "model.capture.json")    the same information from one eager run, for untraceable models
    report = gradscan.check(model, args)                  the report as an object, for use in tests
    with gradscan.explain(ddp_model): ...                 explains DDP's error where it is raised

The command line tool reads the files: `gradscan model.pt`.
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
