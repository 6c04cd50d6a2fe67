"""What can go wrong, as one sentence that says what is wrong and what to do.

try:
    gradscan.export(model, (images,), "model.pt")
except gradscan.Error as error:
    print(error)   # "Detector cannot be traced: ...: use gradscan.record, which does not trace"
"""


class Error(RuntimeError):
    """gradscan cannot do what it was asked. The README says what is put back; no file was left behind."""


class TracingError(Error):
    """`export` cannot bring the model into TorchScript; `record` does not need to."""


class DDPError(RuntimeError):
    """DistributedDataParallel has raised an error; the text is gradscan's report, `__cause__` is the error itself."""
