"""Measures what torch keeps for backward and computes again in checkpointed models, for price_test.cpp: rows.json, captures.

    python3 tests/price/measure.py [CASE...]

A row is a model of models.py with regions of one kind ("as_given": as the capture says).

    outside    bytes of the storages that forward leaves behind for backward, besides parameters, buffers and inputs, seen by
               torch.autograd.graph.saved_tensors_hooks
    largest    what the recomputation needs of the region that needs most
    regions    in the order of forward; [bytes, flops] of their recomputation: of the storages that it saves and that are not
               there already, with those of the region inside that needs most
    forward, backward, recompute
               FLOPs that torch.utils.flop_counter.FlopCounterMode sees

The recomputation of a non-reentrant region is seen through the hook that torch.utils.checkpoint sets for it, that of a
reentrant one by its function being called in backward with grad.
"""
import contextlib
import gc
import json
import sys
import weakref
from pathlib import Path

import torch
import torch.utils.checkpoint as torch_checkpoint
from torch.utils.flop_counter import FlopCounterMode, register_flop_formula, sdpa_backward_flop_count, sdpa_flop_count

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parents[1] / "examples"), str(FOLDER.parents[1] / "python")]
import gradscan  # noqa: E402
import make_resnet50  # noqa: E402
from models import CASES, Case  # noqa: E402

KINDS = ("reentrant", "non_reentrant", "off")
aten = torch.ops.aten


# The CPU's attention computes what CUDA's does, which torch counts.
@register_flop_formula(aten._scaled_dot_product_flash_attention_for_cpu)
def _(query, key, value, *args, out_shape=None, **kwargs):
    return sdpa_flop_count(query, key, value)


@register_flop_formula(aten._scaled_dot_product_flash_attention_for_cpu_backward)
def _(grad, query, key, value, *args, out_shape=None, **kwargs):
    return sdpa_backward_flop_count(grad, query, key, value)


class NoModules(contextlib.nullcontext):
    """FlopCounterMode sets hooks to count by module, which fail on what is changed in place: here all is one."""

    parents = ("Global",)


class Packed:
    """What autograd holds in the place of a saved tensor."""

    def __init__(self, tensor):
        self.tensor = tensor


class Event:
    """One recomputation."""

    def __init__(self, flops):
        self.name, self.tensors, self.flops = None, [], flops


class Measurement:
    def __init__(self, case, kind):
        self.case, self.kind = case, kind
        self.inside = {}  # region: regions right inside
        self.outer = {}  # region: the one around it
        self.open = []
        self.in_backward = False
        self.events, self.event = {}, None
        self.packed, self.kept_alive = [], []
        self.counter = FlopCounterMode(display=False)
        self.counter.mod_tracker = NoModules()

    # --- the model's view ----------------------------------------------------------------------------------------------

    def kind_of(self, name):
        return self.case.kinds.get(name, "reentrant") if self.kind == "as_given" else self.kind

    def run(self, name, function, *args):
        if name not in self.inside:
            self.inside[name], self.outer[name] = [], self.open[-1] if self.open else None
            if self.open:
                self.inside[self.open[-1]].append(name)
        kind = self.kind_of(name)
        body = self.body_of(name, function, kind)
        if kind == "off":
            return body(*args)
        return torch_checkpoint.checkpoint(body, *args, use_reentrant=kind == "reentrant")

    def body_of(self, name, function, kind):
        def body(*args):
            if self.event and not self.event.name:
                self.event.name = name
            recomputed = self.in_backward and kind == "reentrant" and torch.is_grad_enabled()
            with self.recomputation(name) if recomputed else contextlib.nullcontext():
                self.open.append(name)
                try:
                    result = function(*args)
                finally:
                    self.open.pop()
                if recomputed:
                    self.event.tensors = self.alive()
                return result

        return body

    # --- measuring ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def recomputation(self, name=None):
        assert not self.event
        self.event, self.packed = Event(self.counter.get_total_flops()), []
        self.event.name = name
        try:
            yield
        finally:
            self.event.flops = self.counter.get_total_flops() - self.event.flops
            assert self.event.name not in self.events
            self.events[self.event.name], self.event = self.event, None

    def pack(self, tensor):
        packed = Packed(tensor)
        self.packed.append(weakref.ref(packed))
        self.kept_alive.append(tensor.detach())  # so that no other storage gets its address
        return packed

    def alive(self):
        gc.collect()
        return [packed().tensor.detach() for packed in self.packed if packed()]

    def hook_class(self):
        measurement = self

        class RecomputationHook(torch_checkpoint._recomputation_hook):
            def __init__(self, frame, gid):
                super().__init__(frame, gid)
                self.frame, self.gid, self.recomputation = frame, gid, measurement.recomputation()

            def __enter__(self):
                self.recomputation.__enter__()
                return super().__enter__()

            def __exit__(self, *error):
                super().__exit__(*error)
                gc.collect()
                measurement.event.tensors = list(self.frame().recomputed[self.gid].values())
                measurement.kept_alive += measurement.event.tensors
                return self.recomputation.__exit__(None, None, None)

        return RecomputationHook

    def measure(self):
        torch.manual_seed(0)
        model = self.case.model(self.run)
        args = [torch.rand(shape) for shape in self.case.shapes]
        known = {storage_of(t) for t in (*model.parameters(), *model.buffers(), *args)}
        original = torch_checkpoint._recomputation_hook
        torch_checkpoint._recomputation_hook = self.hook_class()
        try:
            with self.counter, torch.autograd.graph.saved_tensors_hooks(self.pack, lambda packed: packed.tensor):
                result = model(*args)
                forward, saved = self.counter.get_total_flops(), storages_of(self.alive(), known)
                self.in_backward = True
                members = result if isinstance(result, tuple) else (result,)
                sum(member.mean() for member in members).backward()
        finally:
            torch_checkpoint._recomputation_hook = original
        recompute = sum(event.flops for event in self.events.values())
        regions = {name: self.needs(name, known, saved) for name in self.inside}
        return {
            "outside": sum(saved.values()),
            "largest": max((regions[name][0] for name in self.checkpointed_inside(None)), default=0),
            "regions": list(regions.values()),
            "forward": forward,
            "backward": self.counter.get_total_flops() - forward - recompute,
            "recompute": recompute,
        }

    def needs(self, name, known, saved):
        inside = [self.needs(inner, known, saved)[0] for inner in self.checkpointed_inside(name)]
        event = self.events.get(name)
        if not event:
            return [0, 0]
        there, around = known | saved.keys(), self.outer[name]
        while around:
            if around in self.events:
                there |= storages_of(self.events[around].tensors, set()).keys()
            around = self.outer[around]
        return [sum(storages_of(event.tensors, there).values()) + max(inside, default=0), event.flops]

    def checkpointed_inside(self, name):
        """None: outside of all."""
        for inner in self.inside[name] if name else [name for name in self.inside if not self.outer[name]]:
            if self.kind_of(inner) == "off":
                yield from self.checkpointed_inside(inner)
            else:
                yield inner


def storage_of(tensor):
    return tensor.untyped_storage()._cdata


def storages_of(tensors, besides):
    """{storage: bytes}"""
    return {storage_of(t): t.untyped_storage().nbytes() for t in tensors if storage_of(t) not in besides}


def kinds_of(case):
    return (*KINDS, "as_given") if case.kinds else KINDS


def write_capture(name, case):
    """Of all regions, for what is not checkpointed is none for gradscan.record."""
    measurement = Measurement(case, "reentrant")
    torch.manual_seed(0)
    path = FOLDER / f"{name}.capture.json"
    gradscan.record(case.model(measurement.run), tuple(torch.rand(shape) for shape in case.shapes), path)
    capture = json.loads(path.read_text())
    for region, name in zip(capture["regions"], measurement.inside, strict=True):
        region["kind"] = case.kinds.get(name, "reentrant")
    path.write_text(json.dumps(capture).replace('{"role"', '\n {"role"').replace('{"op"', '\n {"op"') + "\n")


def sample():
    """examples/resnet50_with_cp.pt is its trace."""

    def model(run):
        return make_resnet50.ResNet50(lambda function, x, name, source: run(name, function, x))

    return Case(model, [make_resnet50.IMAGE])


def adam_state():
    """Bytes of Adam's state for two parameters of 3 and 5 float32."""
    parameters = [torch.nn.Parameter(torch.rand(size)) for size in (3, 5)]
    optimizer = torch.optim.Adam(parameters)
    sum(p.sum() for p in parameters).backward()
    optimizer.step()
    return sum(t.untyped_storage().nbytes() for state in optimizer.state.values() for t in state.values())


def main(names):
    rows = []
    for name, case in CASES.items():
        if names and name not in names:
            continue
        write_capture(name, case)
        rows += [{"case": name, "kind": kind} | Measurement(case, kind).measure() for kind in kinds_of(case)]
    resnet = [{"kind": kind} | Measurement(sample(), kind).measure() for kind in KINDS] if not names else []
    if names:
        print("\n".join(json.dumps(row) for row in rows))
        return
    measured = {"torch": torch.__version__, "adam": adam_state(), "rows": rows, "resnet50_with_cp": resnet}
    text = json.dumps(measured).replace('{"case"', '\n  {"case"').replace('{"kind"', '\n  {"kind"')
    (FOLDER / "rows.json").write_text(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
