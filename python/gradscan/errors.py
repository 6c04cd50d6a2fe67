"""The exceptions. Each message is one sentence that says what is wrong and what to do about it.

try:
    gradscan.export(model, (images,), "model.pt")
except gradscan.Error as error:
    print(error)   # "Detector cannot be traced: ...: use gradscan.record, which does not trace"
"""


class Error(RuntimeError):
    """gradscan cannot do what was requested. It leaves no file behind; the README says what it restores."""


class TracingError(Error):
    """`export` cannot express the model in TorchScript. `record` does not need to."""


class DDPError(RuntimeError):
    """DistributedDataParallel raised an error. The message is gradscan's report, and `__cause__` is DDP's own error."""
