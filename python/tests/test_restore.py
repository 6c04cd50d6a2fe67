"""export and record restore everything, even after an exception."""

import random
import types
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque

import pytest
import torch
from conftest import torch_functions
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.checkpoint import checkpoint

import gradscan
from gradscan.restore import unchanged


class Restless(nn.Module):
    """Its forward changes everything that a forward can change."""

    def __init__(self, fail=False):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.dropout = nn.Dropout(0.5)
        self.calls, self.seen, self.cache = 0, [], {}
        self.register_buffer("total", torch.zeros(4))
        self.fail = fail

    def forward(self, x):
        self.calls += 1
        self.seen.append(self.calls)
        self.cache["x"] = x
        self.last = x
        random.random()
        x.requires_grad_()
        self.b.bias.requires_grad_(False)
        x = checkpoint(self.a, self.dropout(self.norm(x)), use_reentrant=True)
        self.total = self.total + x.detach().sum(0)
        self.eval()
        self.handle = self.register_forward_hook(print)
        if self.fail:
            raise ArithmeticError("forward fails")
        return self.b(x)


def everything_about(model):
    return {
        "state": {name: value.clone() for name, value in model.state_dict().items()},
        "buffers": [id(buffer) for buffer in model.buffers()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "training": [module.training for module in model.modules()],
        "hooks": [dict(module._forward_hooks) | dict(module._forward_pre_hooks) for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "own": (model.calls, list(model.seen), dict(model.cache)),
        "random": (torch.get_rng_state(), random.getstate()),
        "torch": (
            torch.is_grad_enabled(),
            torch_functions(),
            torch._C._get_tracing_state(),
            torch._C._len_torch_function_stack(),
            torch._C._len_torch_dispatch_stack(),
            len(torch.nn.modules.module._global_forward_hooks),
            len(torch.nn.modules.module._global_forward_pre_hooks),
        ),
    }


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def assert_same(before, after):
    for key in before:
        assert equal(before[key], after[key]), (key, before[key], after[key])


WAYS = [(gradscan.export, "m.pt"), (gradscan.record, "m.capture.json")]


@pytest.mark.parametrize("write, file", WAYS)
@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("grad", [False, True])
def test_everything_is_as_it_was(write, file, fail, grad, tmp_path):
    model, x = Restless(fail), torch.rand(3, 4)
    model.a.weight.grad = torch.ones(4, 4)
    model.register_forward_pre_hook(lambda module, args: None)
    contents = x.clone()
    with torch.set_grad_enabled(grad):
        before = everything_about(model)
        if fail:
            with pytest.raises((gradscan.Error, ArithmeticError), match="forward fails"):
                write(model, x, tmp_path / file)
        else:
            write(model, x, tmp_path / file)
        assert_same(before, everything_about(model))
    assert torch.equal(x, contents) and not x.requires_grad
    assert [path.name for path in tmp_path.iterdir()] == ([] if fail else [file])


@pytest.mark.parametrize("write, file", WAYS)
def test_a_checkpoint_call_that_fails(write, file, tmp_path):
    class Failing(Restless):
        def forward(self, x):
            return checkpoint(lambda x: checkpoint(self.missing, x, use_reentrant=True), x, use_reentrant=False)

    model, x = Failing(), torch.rand(3, 4)
    before = everything_about(model)
    with pytest.raises((gradscan.Error, AttributeError), match="missing"):
        write(model, x, tmp_path / file)
    assert_same(before, everything_about(model))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write, file", WAYS)
def test_training_continues_undisturbed(write, file, tmp_path):
    def train(disturb):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        for step in range(4):
            x = torch.rand(8, 4)
            optimizer.zero_grad()
            if step == 1:
                disturb(model, x)
            model(x).sum().backward()
            if step == 2:
                disturb(model, x)
            optimizer.step()
        return model.state_dict()

    disturbed = train(lambda model, x: write(model, x, tmp_path / file))
    assert equal(dict(train(lambda model, x: None)), dict(disturbed))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("write, file", WAYS)
def test_random_numbers_of_the_device(write, file, tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).cuda()
    before = torch.cuda.get_rng_state()
    write(model, torch.rand(3, 4, device="cuda"), tmp_path / file)
    assert torch.equal(before, torch.cuda.get_rng_state())


def test_other_threads_checkpoint_as_usual(tmp_path):
    import threading

    calls = []

    def elsewhere():
        x = torch.rand(3, requires_grad=True)
        y = checkpoint(lambda x: x * 2, x, use_reentrant=True)
        y.sum().backward()
        calls.append((type(y.grad_fn).__name__, x.grad.tolist()))

    class Model(nn.Linear):
        def forward(self, x):
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            return super().forward(x)

    gradscan.record(Model(4, 4), torch.rand(3, 4), tmp_path / "m.capture.json", iterations=1)
    assert calls == 2 * [("CheckpointFunctionBackward", [2.0, 2.0, 2.0])]  # in the forward that is watched, and as it is


class UnusualBuffers(nn.Module):
    def __init__(self, fail=False):
        super().__init__()
        self.a, self.fail = nn.Linear(4, 4), fail
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.register_buffer("meta", torch.zeros(3, device="meta"))
        self.register_buffer("growing", torch.zeros(2))
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        self.growing.resize_(4).fill_(1)
        self.sparse.mul_(2)
        x = self.norm(self.a(x))
        if self.fail:
            raise ArithmeticError("forward fails")
        return x


@pytest.mark.parametrize("fail", [False, True])
def test_buffers_that_cannot_be_compared(fail, tmp_path):
    model = UnusualBuffers(fail)
    if fail:
        with pytest.raises(ArithmeticError, match="forward fails"):
            gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    else:
        gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    assert torch.equal(model.growing, torch.zeros(2))
    assert torch.equal(model.sparse.to_dense(), torch.eye(3))
    assert model.norm.num_batches_tracked == 0


def test_a_failure_to_restore_hides_no_exception():
    def restore(fail):
        done = []
        first, second = nn.Linear(4, 4), nn.Linear(4, 4)
        second.register_buffer("numbers", torch.zeros(2))
        model = nn.Sequential(first, second)
        with unchanged(model, ()):
            second.numbers.add_(1)
            first.weight.requires_grad_(False)
            first.__class__ = type("Closed", (nn.Linear,), {"__dict__": property(lambda module: done.append(1) or 1 / 0)})
            if fail:
                raise ArithmeticError("forward fails")

    with pytest.raises(ArithmeticError, match="forward fails"):
        restore(True)
    with pytest.raises(gradscan.Error, match="could not be restored"):
        restore(False)


# --- unusual containers and tensors ------------------------------------------------------------------------------------------


class Frozen(OrderedDict):
    """Like that of diffusers: its members are attributes, and nothing can be changed."""

    def __init__(self, *args, **members):
        super().__init__(*args, **members)
        for name, value in self.items():
            setattr(self, name, value)
        self.closed = True

    def __setattr__(self, name, value):
        if getattr(self, "closed", False):
            raise TypeError("frozen")
        super().__setattr__(name, value)

    def __setitem__(self, name, value):
        if getattr(self, "closed", False):
            raise TypeError("frozen")
        super().__setitem__(name, value)

    def refuse(self, *args, **kwargs):
        raise TypeError("frozen")

    update = __delitem__ = setdefault = pop = refuse


class Dotted(dict):
    """Its attributes are its members, whatever their names."""

    __getattr__ = dict.get
    __setattr__ = dict.__setitem__


class Refusing(dict):
    def refuse(self, *args, **kwargs):
        raise TypeError("no such method")

    copy = clear = update = items = __iter__ = __eq__ = refuse
    __hash__ = None


class RefusingList(list):
    def refuse(self, *args, **kwargs):
        raise TypeError("no such method")

    copy = clear = extend = __iter__ = __setitem__ = __eq__ = refuse
    __hash__ = None


class Logging(OrderedDict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        if hasattr(self, "log"):
            self.log.append(key)


CONTAINERS = [
    lambda: Frozen(a=1),
    lambda: Dotted(a=1),
    lambda: Refusing(a=1),
    lambda: Logging(a=1),
    lambda: defaultdict(list, a=1),
    lambda: Counter("a"),
    lambda: UserDict(a=1),
    lambda: UserList("a"),
    lambda: RefusingList("a"),
    lambda: deque("ab", maxlen=2),
    lambda: frozenset("a"),
    lambda: types.MappingProxyType({"a": 1}),
]


class Holding(nn.Linear):
    def __init__(self, container, change=lambda container: None):
        super().__init__(4, 4)
        self.container, self.change = container, change

    def forward(self, x):
        self.change(self.container)
        return super().forward(x)


def contents(container):
    if isinstance(container, (UserDict, UserList)):
        container = container.data
    for base in (OrderedDict, dict, list):
        if isinstance(container, base):
            return list(base.items(container) if base is not list else base.__iter__(container))
    return list(container.items()) if isinstance(container, types.MappingProxyType) else list(container)


@pytest.mark.parametrize("write, file", WAYS)
@pytest.mark.parametrize("make", CONTAINERS)
def test_a_container_that_forward_leaves_alone(make, write, file, tmp_path):
    model = Holding(make())
    container, before = model.container, contents(make())
    write(model, torch.rand(3, 4), tmp_path / file)
    assert model.container is container and contents(container) == before


CHANGES = [
    (lambda: Frozen(a=1, b=2), lambda frozen: OrderedDict.__setitem__(frozen, "c", 3)),
    (lambda: Frozen(a=1, b=2), lambda frozen: OrderedDict.clear(frozen)),
    (lambda: OrderedDict(a=1, b=2), lambda ordered: ordered.move_to_end("a")),
    (lambda: Dotted(a=1), lambda dotted: setattr(dotted, "b", 2)),
    (lambda: Refusing(a=1), lambda refusing: dict.__setitem__(refusing, "b", 2)),
    (lambda: Refusing(a=1), lambda refusing: dict.clear(refusing)),
    (lambda: defaultdict(list, a=1), lambda default: default["b"]),
    (lambda: Counter("a"), lambda counter: counter.update("ab")),
    (lambda: UserDict(a=1), lambda user: user.update(b=2)),
    (lambda: UserList("a"), lambda user: user.append("b")),
    (lambda: RefusingList("a"), lambda refusing: list.append(refusing, "b")),
    (lambda: deque("ab", maxlen=2), lambda queue: queue.append("c")),
    (lambda: {"a", "b"}, lambda letters: letters.add("c")),
]


@pytest.mark.parametrize("write, file", WAYS)
@pytest.mark.parametrize("make, change", CHANGES)
def test_a_container_that_forward_changes(make, change, write, file, tmp_path):
    model = Holding(make(), change)
    write(model, torch.rand(3, 4), tmp_path / file)
    assert contents(model.container) == contents(make())
    change(model.container)
    assert contents(model.container) != contents(make())


def test_what_is_restored_tells_no_hook(tmp_path):
    logging = Logging(a=1)
    logging.log = []
    gradscan.record(Holding(logging, lambda ordered: ordered.update(b=2)), torch.rand(3, 4), tmp_path / "m.capture.json")
    assert set(logging.log) == {"b"} and contents(logging) == [("a", 1)]


class Closed(torch.Tensor):
    """A subclass of Tensor that knows few operations."""

    @staticmethod
    def __new__(cls, inner):
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

    def __init__(self, inner):
        self.inner = inner

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        if function.overloadpacket in (torch.ops.aten.equal, torch.ops.aten.clone):
            raise NotImplementedError(f"no {function}")
        inner = [arg.inner if isinstance(arg, Closed) else arg for arg in args]
        result = function(*inner, **(kwargs or {}))
        return cls(result) if isinstance(result, torch.Tensor) else result


def fake():
    with FakeTensorMode():
        return torch.zeros(3)


@pytest.mark.parametrize("make", [fake, lambda: torch.zeros(3, device="meta"), lambda: Closed(torch.zeros(3))])
@pytest.mark.parametrize("persistent", [True, False])
def test_a_buffer_that_has_no_values_to_compare(make, persistent, tmp_path):
    model = nn.Linear(4, 4)
    model.register_buffer("numbers", make(), persistent)
    numbers = model.numbers
    gradscan.record(model, torch.rand(3, 4), tmp_path / "m.capture.json")
    assert model.numbers is numbers


@pytest.mark.parametrize("write, file", WAYS)
def test_a_buffer_from_inference_mode(write, file, tmp_path):
    model = nn.Linear(4, 4)
    with torch.inference_mode():
        model.register_buffer("numbers", torch.zeros(3))
    write(model, torch.rand(3, 4), tmp_path / file)


def test_a_model_of_fake_tensors(tmp_path):
    with FakeTensorMode():
        model, x = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), torch.rand(3, 4)
        ids = torch.zeros(3, dtype=torch.int64)
        model.forward = lambda x, ids: model[1](model[0](x))
        gradscan.record(model, (x, ids), tmp_path / "m.capture.json")
