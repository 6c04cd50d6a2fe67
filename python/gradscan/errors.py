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


def first_line(error: Exception) -> str:
    """The first line of its message, or else its type."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def in_short(error: Exception) -> str:
    """Its type and the first line of its message: "KeyError: 'labels'"."""
    return f"{type(error).__name__}: {first_line(error)}"
