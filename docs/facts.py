"""Shows the facts that docs/how-it-works.md states: small models, torch's own checkpoint and DistributedDataParallel.

    python3 docs/facts.py

Every layer is 20 -> 20. Prints the firings per backward of each layer's weight without DDP, and what DDP on two ranks says
or does not say.
"""
import os
import tempfile
import warnings

os.environ["TORCH_DISTRIBUTED_DEBUG"] = "INFO"  # messages with names
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
warnings.filterwarnings("ignore")

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.functional import linear
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

RANKS = 2
WIDTH = 20


def reentrant(function, *args):
    return checkpoint(function, *args, use_reentrant=True)


def non_reentrant(function, *args):
    return checkpoint(function, *args, use_reentrant=False)


class Model(nn.Module):
    """Three layers, and a forward that is given."""

    def __init__(self, run, tied=False, scaled=False):
        super().__init__()
        self.l1, self.l2, self.l3 = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        if tied:
            self.l3.weight = self.l1.weight
        if scaled:
            self.scale = nn.Parameter(torch.ones(WIDTH))
        self.run = run
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.run(self, x)


def two(m, h):
    return m.l2(h), m.l3(h)


FIRINGS = {
    "two plain uses of l2": lambda m, x: m.l2(m.l2(m.l1(x))),
    "l2 in a reentrant region and outside": lambda m, x: m.l2(reentrant(m.l2, m.l1(x))),
    "l2 in two reentrant regions": lambda m, x: reentrant(m.l2, reentrant(m.l2, m.l1(x))),
    "l2 in two non-reentrant regions": lambda m, x: non_reentrant(m.l2, non_reentrant(m.l2, m.l1(x))),
    "l3 in a region in a region": lambda m, x: reentrant(lambda h: reentrant(m.l3, m.l2(h)), m.l1(x)),
    "l2.weight is a region's argument": lambda m, x: reentrant(linear, m.l1(x), m.l2.weight),
    "l2.weight is its argument and is used inside":
        lambda m, x: reentrant(lambda h, w: linear(m.l2(h), w), m.l1(x), m.l2.weight),
    "l1 in a region whose argument needs no grad": lambda m, x: m.l2(reentrant(m.l1, x)),
    "l2 in a region behind such a region": lambda m, x: m.l3(reentrant(m.l2, reentrant(m.l1, x))),
    "l1 in a region whose argument is in a list": lambda m, x: m.l2(reentrant(lambda xs: m.l1(xs[0]), [m.l3(x)])),
    "l2, l3 in a region, only l2's output is used": lambda m, x: reentrant(lambda h: two(m, h), m.l1(x))[0],
    "l2 in a region whose output is not used": lambda m, x: (reentrant(m.l2, m.l1(x)), m.l1(x))[1],
}


def chain(m, x): return m.l3(reentrant(m.l2, m.l1(x)))
def inside_and_outside(m, x): return m.l3(m.l2(reentrant(m.l2, m.l1(x))))
def unused(m, x): return m.l3(m.l1(x))
def once_more(m, x): return chain(m, x) if m.calls == 1 else inside_and_outside(m, x)
def once_less(m, x): return chain(m, x) if m.calls == 1 else unused(m, x)
def last_twice(m, x): return m.l3(m.l2(reentrant(m.l1, reentrant(m.l1, x))))
def without_grad(m, x): return m.l3(m.l2(reentrant(m.l1, x)))
def tied(m, x): return reentrant(m.l3, m.l2(m.l1(x)))
def scaled(m, x): return m.l3(m.l2(reentrant(lambda h: h * m.scale, m.l1(x))))


FIND_UNUSED, STATIC = {"find_unused_parameters": True}, {"static_graph": True}
DDP = [  # title, forward, DDP's flags, the model's options
    ("l2 in a region", chain, {}, {}),
    ("l2 in a region", chain, FIND_UNUSED, {}),
    ("l2 in a region", chain, STATIC, {}),
    ("l2 in a region and outside", inside_and_outside, {}, {}),
    ("l2 is not used", unused, {}, {}),
    ("l2 fires once more from iteration 1 on", once_more, STATIC, {}),
    ("l2 is not used from iteration 1 on", once_less, STATIC, {}),
    ("l1, the last to be ready, in two regions", last_twice, {}, {"x_requires_grad": True}),
    ("l1 in a region whose argument needs no grad", without_grad, {}, {}),
    ("l1 in a region whose argument needs no grad", without_grad, FIND_UNUSED, {}),
    ("l1 in a region whose argument needs no grad", without_grad, STATIC, {}),
    ("l1 and l3 share a weight, l3 in a region", tied, {}, {"tied": True}),
    ("the model's own parameter in a region", scaled, FIND_UNUSED, {"scaled": True}),
]


def count_firings(run):
    model, nodes = Model(run), []
    counts = {}
    for name in ("l1", "l2", "l3"):
        weight = getattr(model, name).weight
        node = weight.view_as(weight).grad_fn.next_functions[0][0]
        counts[name] = 0
        node.register_hook(lambda *_, name=name: counts.update({name: counts[name] + 1}))
        nodes.append(node)  # keeps the hook alive
    model(torch.rand(8, WIDTH)).square().mean().backward()
    return counts


def differ(model):
    """For each parameter the difference between the ranks' gradients, relative to the larger one."""
    differences = {}
    for name, parameter in model.module.named_parameters():
        own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        gradients = [torch.empty_like(own) for _ in range(RANKS)]
        dist.all_gather(gradients, own)
        scale = max(gradient.norm().item() for gradient in gradients)
        if scale == 0:
            differences[name] = "no gradient"
        elif (gradients[0] - gradients[1]).norm() > 1e-5 * scale:
            differences[name] = f"{((gradients[0] - gradients[1]).norm() / scale).item():.2f}"
    return differences


def shortened(message):
    first, *others = message.split("\n")
    return "\n        ".join([first.split(". ")[0]] + [line for line in others if line.startswith("Parameter")])


def run_ddp(run, flags, options, rank):
    torch.manual_seed(0)
    options = dict(options)
    x_requires_grad = options.pop("x_requires_grad", False)
    model = DistributedDataParallel(Model(run, **options), **flags)
    torch.manual_seed(100 + rank)
    x = torch.rand(8, WIDTH, requires_grad=x_requires_grad)
    differences = {}
    for iteration in range(4):
        model.zero_grad()
        try:
            model(x).square().mean().backward()
        except RuntimeError as error:
            return f"iteration {iteration}: {shortened(str(error))}", differences
        differences = differ(model)
    return "no error", differences


def work(rank, store):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    for title, run, flags, options in DDP:
        said, differences = run_ddp(run, flags, options, rank)
        if rank == 0:
            print(f"{title}; {flags}\n    says: {said}\n    ranks differ after the last finished iteration: {differences}")
        dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.manual_seed(0)
    for title, run in FIRINGS.items():
        print(f"{title}: {count_firings(run)}")
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (f"{folder}/store",), RANKS)
