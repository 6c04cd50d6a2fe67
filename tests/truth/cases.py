"""Small models in training, of which measure.py measures what DistributedDataParallel does with them. ddp_cases.txt has them
as captures.

A model is made with a function checkpoint(function, *args): torch's own of one kind, one that merely calls the function, or one
that marks regions in a trace. Every linear layer is 20 -> 20, the input is 8 x 20. A model that changes from one forward call
to the next counts its calls, and repeats itself after `period` of them.
"""
from contextlib import nullcontext
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Callable

import torch
from torch import nn
from torch.nn.functional import linear

ROWS, WIDTH = 8, 20
BUCKET_CAP_MB = 1


def layer():
    return nn.Linear(WIDTH, WIDTH)


class Layers(nn.Module):
    """Linear layers of these names; `tied`: two of them, the second takes the first one's weight."""

    names = "l1 l2"
    tied = ""
    period = 2

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint
        self.calls = 0
        for name in self.names.split():
            setattr(self, name, layer())
        if self.tied:
            first, second = (getattr(self, name) for name in self.tied.split())
            second.weight = first.weight


class Plain(Layers):
    def forward(self, x):
        return self.l2(self.l1(x))


class PlainUnused(Plain):
    names = "l1 l2 dead"


class Once(Layers):
    def forward(self, x):
        return self.checkpoint(self.l2, self.l1(x))


class Twice(Layers):
    def forward(self, x):
        return self.checkpoint(self.l2, self.checkpoint(self.l2, self.l1(x)))


class TwiceSharedWeight(Twice):
    tied = "l1 l2"


class Dynamic(Layers):
    """One layer, in a region; the other one in every second call."""

    def forward(self, x):
        self.calls += 1
        return self.checkpoint(self.l2 if self.calls % 2 else self.l1, x)


class DynamicSharedWeight(Dynamic):
    tied = "l1 l2"


class InsideAndOutside(Layers):
    def forward(self, x):
        return self.l2(self.checkpoint(self.l2, self.l1(x)))


class InputWithoutGrad(Layers):
    """The region's only argument does not require grad."""

    def forward(self, x):
        return self.l2(self.checkpoint(self.l1, x.detach()))


class LastBucketTwice(Layers):
    """The layer in two regions is the last to become ready: nothing else is pending when it fires again."""

    def forward(self, x):
        return self.l2(self.checkpoint(self.l1, self.checkpoint(self.l1, x)))


class LastBucketThrice(Layers):
    def forward(self, x):
        return self.l2(self.checkpoint(self.l1, self.checkpoint(self.l1, self.checkpoint(self.l1, x))))


class FirstLayerInsideAndOutside(Layers):
    """The last firing is the one in the outer graph."""

    def forward(self, x):
        return self.l2(self.checkpoint(self.l1, self.l1(x)))


class Nested(Layers):
    names = "l1 l2 l3"

    def inner(self, x):
        return self.checkpoint(self.l3, self.l2(x))

    def forward(self, x):
        return self.checkpoint(self.inner, self.l1(x))


class WeightAsArgument(Layers):
    def forward(self, x):
        return self.checkpoint(linear, self.l1(x), self.l2.weight)


class WeightAsArgumentAndClosure(Layers):
    def twice(self, x, weight):
        return linear(self.l2(x), weight)

    def forward(self, x):
        return self.checkpoint(self.twice, self.l1(x), self.l2.weight)


class RegionOutputUnused(Layers):
    def forward(self, x):
        x = self.l1(x)
        self.checkpoint(self.l2, x)
        return x


class RegionTwoOutputsOneUsed(Layers):
    names = "l1 a b"

    def two(self, x):
        return self.a(x), self.b(x)

    def forward(self, x):
        used, _ = self.checkpoint(self.two, self.l1(x))
        return used


class LoopedBlock(Layers):
    """One block, three iterations, a region each."""

    def forward(self, x):
        x = self.l1(x)
        for _ in range(3):
            x = self.checkpoint(self.l2, x)
        return x


class AlternateRegions(Layers):
    names = "l1 l2 l3"

    def forward(self, x):
        x = self.checkpoint(self.l2, self.l1(x))
        x = self.checkpoint(self.l3, x)
        return self.checkpoint(self.l2, x)


class Block(nn.Linear):
    def forward(self, x):
        return torch.relu(super().forward(x))


class Chain(nn.Module):
    """A stem, regions, a head."""

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint
        self.stem = layer()
        self.blocks = nn.ModuleList(Block(WIDTH, WIDTH) for _ in range(4))
        self.head = layer()

    def forward(self, x):
        return self.head(self.run_blocks(self.stem(x)))

    def run_blocks(self, x):
        for block in self.blocks:
            x = self.checkpoint(block, x)
        return x


class ChainDeadHead(Chain):
    def __init__(self, checkpoint):
        super().__init__(checkpoint)
        self.dead = layer()


class ChainDeadHeadFrozen(ChainDeadHead):
    def __init__(self, checkpoint):
        super().__init__(checkpoint)
        self.dead.requires_grad_(False)


class FrozenStem(Chain):
    """Nothing that goes into the first region requires grad."""

    def __init__(self, checkpoint):
        super().__init__(checkpoint)
        self.stem.requires_grad_(False)

    def forward(self, x):
        return super().forward(x.detach())


class FrozenStemOutputRequiresGrad(FrozenStem):
    """The repair that libraries call enable_input_require_grads."""

    def forward(self, x):
        return self.head(self.run_blocks(self.stem(x.detach()).requires_grad_()))


class TiedEndsAroundRegion(Layers):
    names = "first mid last"
    tied = "first last"

    def forward(self, x):
        return self.last(self.checkpoint(self.mid, self.first(x)))


class TiedAcrossRegionEdge(Layers):
    names = "first last"
    tied = "first last"

    def forward(self, x):
        return self.checkpoint(self.last, self.first(x))


class TiedEmbedding(nn.Module):
    """The head is a region and has the embedding's weight."""

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint
        self.table = nn.Embedding(WIDTH, WIDTH)
        self.blocks = nn.ModuleList(self.make_blocks())
        self.head = nn.Linear(WIDTH, WIDTH, bias=False)
        self.head.weight = self.table.weight

    def make_blocks(self):
        return [Block(WIDTH, WIDTH)]

    def embed(self, x):
        return self.table(x.detach().argmax(1))

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.checkpoint(self.head, x)


class TiedEmbeddingAllInRegions(TiedEmbedding):
    """Only the embedding is outside of regions."""

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = self.checkpoint(block, x)
        return self.checkpoint(self.head, x)


class TransformerBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.value = nn.LayerNorm(WIDTH), layer()
        self.norm2, self.up, self.down = nn.LayerNorm(WIDTH), layer(), layer()

    def forward(self, x):
        value = self.value(self.norm1(x))
        x = x + torch.softmax(value @ value.t(), 1) @ value
        return x + self.down(torch.relu(self.up(self.norm2(x))))


class TiedTransformer(TiedEmbeddingAllInRegions):
    def make_blocks(self):
        return [TransformerBlock(), TransformerBlock()]


class Branch(Layers):
    """One of two layers in turn."""

    names = "a b"

    def forward(self, x):
        self.calls += 1
        return self.a(x) if self.calls % 2 else self.b(x)


class LayerEverySecondCall(Layers):
    names = "l1 l2 l3"

    def forward(self, x):
        self.calls += 1
        x = self.l1(x)
        return self.l3(self.l2(x) if self.calls % 2 else x)


class RegionEverySecondCall(LayerEverySecondCall):
    def forward(self, x):
        self.calls += 1
        x = self.l1(x)
        return self.l3(self.checkpoint(self.l2, x) if self.calls % 2 else x)


class CheckpointedEverySecondCall(Layers):
    """The same layers in each call, in a region in every second one."""

    def forward(self, x):
        self.calls += 1
        x = self.l1(x)
        return self.checkpoint(self.l2, x) if self.calls % 2 else self.l2(x)


class RegionBeforeOrBehind(Layers):
    """Regions over the same layers in another order."""

    def forward(self, x):
        self.calls += 1
        first, last = (self.l1, self.l2) if self.calls % 2 else (self.l2, self.l1)
        return self.checkpoint(last, self.checkpoint(first, x))


class FirstLayerEveryCallButTheFourth(Layers):
    """In the fourth iteration one layer gets no gradient, and only a fifth one is told so."""

    names = "l1 l2 l3"
    period = 4

    def forward(self, x):
        self.calls += 1
        return self.l3(self.l2(self.l1(x) if self.calls % 4 else x))


class FirstOfManyEveryCallButTheFourth(nn.Module):
    """The same of a bucket with many parameters."""

    period = 4

    def __init__(self, checkpoint):
        super().__init__()
        self.calls = 0
        self.first = nn.Parameter(torch.ones(WIDTH))
        self.many = nn.ParameterList(nn.Parameter(torch.ones(WIDTH)) for _ in range(70))

    def forward(self, x):
        self.calls += 1
        x = x * self.first if self.calls % 4 else x
        return x + torch.stack(list(self.many)).sum(0)


class RawParameterReturned(nn.Module):
    def __init__(self, checkpoint):
        super().__init__()
        self.l1 = layer()
        self.b = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x):
        return self.l1(x), self.b


class ScaledParameterReturned(RawParameterReturned):
    def forward(self, x):
        return self.l1(x), self.b * 1.0


class Unknown:
    """A class in which DDP does not look for tensors."""

    def __init__(self, tensor):
        self.tensor = tensor


@dataclass
class Fields:
    """One in which it does; but it puts no node of its own behind what it finds there."""

    tensor: torch.Tensor


def returning(wrapper, base):
    """The model, returning its result in an object."""

    class Returning(base):
        def forward(self, x):
            return wrapper(super().forward(x))

    return Returning


class TwoOutputs(Layers):
    names = "a b"

    def forward(self, x):
        return self.a(x), self.b(x)


class InFieldsAndPlain(TwoOutputs):
    def forward(self, x):
        return Fields(self.a(x)), self.b(x)


class RegionHidden(TwoOutputs):
    """DDP finds the plain layer's result only."""

    def forward(self, x):
        return self.a(x), Unknown(self.checkpoint(self.b, x))


class PlainHidden(TwoOutputs):
    """DDP finds the region's result only."""

    def forward(self, x):
        return Unknown(self.a(x)), self.checkpoint(self.b, x)


def sequential_shared(checkpoint):
    first, last = layer(), layer()
    first.weight = last.weight
    return nn.Sequential(first, last)


def mean_square(result):
    if isinstance(result, tuple):
        return sum(mean_square(member) for member in result)
    return (result.tensor if isinstance(result, (Unknown, Fields)) else result).square().mean()


def mean_square_of_first(result):
    return mean_square(result[0])


@dataclass(frozen=True)
class Step:
    """What an iteration does around forward: see TrainingStep in include/gradscan/setup.h."""

    forwards: int = 1
    backwards: int = 1
    no_sync: int = 0
    used_outside: str = ""
    zero_times: str = ""
    checkpoint_around: bool = False


@dataclass(frozen=True)
class Case:
    model: Callable
    step: Step = Step()
    loss: Callable = mean_square
    input_requires_grad: bool = True
    kinds: tuple = ("reentrant", "non_reentrant", "off")
    bucket_cap_mb: float = BUCKET_CAP_MB

    def train(self, model, x, checkpoint, scale=1):
        """One iteration of `model`, which may be wrapped in DDP. `scale`: of the loss."""
        for synchronised in [False] * self.step.no_sync + [True]:
            with nullcontext() if synchronised or not hasattr(model, "no_sync") else model.no_sync():
                self._loss_and_backward(model, x, checkpoint, scale)

    def _loss_and_backward(self, model, x, checkpoint, scale):
        if self.step.checkpoint_around:
            results = [checkpoint(model, x) for _ in range(self.step.forwards)]
        else:
            results = [model(x) for _ in range(self.step.forwards)]
        loss = sum(self.loss(result) for result in results)
        for parameter in matching(model, self.step.used_outside):
            loss = loss + parameter.sum()
        if zeros := matching(model, self.step.zero_times):
            loss = loss + 0.0 * sum(parameter.sum() for parameter in zeros)
        for left in reversed(range(self.step.backwards)):
            (loss * scale).backward(retain_graph=left > 0)


def matching(model, pattern):
    named = getattr(model, "module", model).named_parameters()
    return [parameter for name, parameter in named if fnmatchcase(name, pattern)]


OFF = ("off",)

CASES = {
    # One forward and one backward.
    "once": Case(Once),
    "twice": Case(Twice),
    "twice_shared_weight": Case(TwiceSharedWeight),
    "inside_and_outside": Case(InsideAndOutside),
    "input_without_grad": Case(InputWithoutGrad),
    "last_bucket_twice": Case(LastBucketTwice),
    "last_bucket_thrice": Case(LastBucketThrice),
    "first_layer_inside_and_outside": Case(FirstLayerInsideAndOutside),
    "nested": Case(Nested),
    "weight_as_argument": Case(WeightAsArgument),
    "weight_as_argument_and_closure": Case(WeightAsArgumentAndClosure),
    "region_output_unused": Case(RegionOutputUnused),
    "chain": Case(Chain),
    "chain_dead_head": Case(ChainDeadHead),
    "chain_dead_head_frozen": Case(ChainDeadHeadFrozen),
    "frozen_stem_detached_input": Case(FrozenStem),
    "frozen_stem_input_requires_grad": Case(FrozenStemOutputRequiresGrad),
    "tied_ends_around_region": Case(TiedEndsAroundRegion),
    "tied_across_region_edge": Case(TiedAcrossRegionEdge),
    "tied_embedding": Case(TiedEmbedding),
    "tied_embedding_all_in_regions": Case(TiedEmbeddingAllInRegions),
    "tied_transformer": Case(TiedTransformer),
    "region_two_outputs_one_used": Case(RegionTwoOutputsOneUsed),
    "looped_block": Case(LoopedBlock),
    "alternate_regions": Case(AlternateRegions),
    "plain": Case(Plain, kinds=OFF),
    "plain_unused": Case(PlainUnused, kinds=OFF),
    "raw_parameter_returned": Case(RawParameterReturned, kinds=OFF),
    "scaled_parameter_returned": Case(ScaledParameterReturned, kinds=OFF),
    "one_output_unused": Case(TwoOutputs, loss=mean_square_of_first, kinds=OFF),
    # DDP does not find tensors, or not all, in forward's result.
    "custom_object_returned": Case(returning(Unknown, Plain), kinds=OFF),
    "once_custom_object": Case(returning(Unknown, Once)),
    "last_bucket_twice_custom_object": Case(returning(Unknown, LastBucketTwice)),
    "chain_dead_head_custom_object": Case(returning(Unknown, ChainDeadHead)),
    "region_hidden": Case(RegionHidden),
    "plain_hidden": Case(PlainHidden),
    # It finds them in a dataclass.
    "plain_dataclass": Case(returning(Fields, Plain), kinds=OFF),
    "plain_unused_dataclass": Case(returning(Fields, PlainUnused), kinds=OFF),
    "once_dataclass": Case(returning(Fields, Once)),
    "last_bucket_twice_dataclass": Case(returning(Fields, LastBucketTwice)),
    "chain_dead_head_dataclass": Case(returning(Fields, ChainDeadHead)),
    "dataclass_and_plain": Case(InFieldsAndPlain, kinds=OFF),
    "dataclass_used_alone": Case(InFieldsAndPlain, loss=mean_square_of_first, kinds=OFF),
    # Another graph in every second call of forward.
    "dynamic": Case(Dynamic),
    "dynamic_shared_weight": Case(DynamicSharedWeight),
    "branch": Case(Branch, kinds=OFF),
    "layer_every_second_call": Case(LayerEverySecondCall, kinds=OFF),
    "region_every_second_call": Case(RegionEverySecondCall),
    "checkpointed_every_second_call": Case(CheckpointedEverySecondCall),
    "region_before_or_behind": Case(RegionBeforeOrBehind),
    # A reduction that does not finish, with some buckets of several complete, or with the only one incomplete.
    "first_layer_every_call_but_the_fourth": Case(FirstLayerEveryCallButTheFourth, kinds=OFF, bucket_cap_mb=0.0001),
    "first_of_many_every_call_but_the_fourth": Case(FirstOfManyEveryCallButTheFourth, kinds=OFF),
    # Two forwards for one backward.
    "once_two_forwards": Case(Once, Step(forwards=2)),
    "twice_shared_weight_two_forwards": Case(TwiceSharedWeight, Step(forwards=2)),
    "last_bucket_twice_two_forwards": Case(LastBucketTwice, Step(forwards=2)),
    "inside_and_outside_two_forwards": Case(InsideAndOutside, Step(forwards=2)),
    "dynamic_two_forwards": Case(Dynamic, Step(forwards=2)),
    "dynamic_three_forwards": Case(Dynamic, Step(forwards=3)),
    "plain_two_forwards": Case(Plain, Step(forwards=2), kinds=OFF),
    "plain_unused_two_forwards": Case(PlainUnused, Step(forwards=2), kinds=OFF),
    "branch_both": Case(Branch, Step(forwards=2), kinds=OFF),
    # Two backwards for one forward.
    "once_two_backwards": Case(Once, Step(backwards=2)),
    "twice_two_backwards": Case(Twice, Step(backwards=2)),
    "nested_two_backwards": Case(Nested, Step(backwards=2)),
    "chain_dead_head_two_backwards": Case(ChainDeadHead, Step(backwards=2)),
    "plain_two_backwards": Case(Plain, Step(backwards=2), kinds=OFF),
    # Gradients of several losses, the last of which is synchronised.
    "once_no_sync_then_sync": Case(Once, Step(no_sync=1)),
    "twice_no_sync_twice": Case(Twice, Step(no_sync=2)),
    "twice_shared_weight_no_sync_twice": Case(TwiceSharedWeight, Step(no_sync=2)),
    "last_bucket_twice_no_sync": Case(LastBucketTwice, Step(no_sync=1)),
    "chain_dead_head_no_sync": Case(ChainDeadHead, Step(no_sync=1)),
    "dynamic_no_sync": Case(Dynamic, Step(no_sync=1)),
    "dynamic_no_sync_twice": Case(Dynamic, Step(no_sync=2)),
    "plain_no_sync_then_sync": Case(Plain, Step(no_sync=1), kinds=OFF),
    "plain_unused_no_sync": Case(PlainUnused, Step(no_sync=1), kinds=OFF),
    # Parameters that the loss uses besides forward's result.
    "once_region_outside": Case(Once, Step(used_outside="l2.weight")),
    "once_plain_outside": Case(Once, Step(used_outside="l1.weight")),
    "last_bucket_twice_outside": Case(LastBucketTwice, Step(used_outside="l1.*")),
    "input_without_grad_outside": Case(InputWithoutGrad, Step(used_outside="l1.*")),
    "chain_block_outside": Case(Chain, Step(used_outside="blocks.1.weight")),
    "chain_dead_head_outside": Case(ChainDeadHead, Step(used_outside="dead.*")),
    "plain_parameter_outside": Case(Plain, Step(used_outside="l1.weight"), kinds=OFF),
    # Parameters that it takes times zero.
    "once_zero_times_all": Case(Once, Step(zero_times="*")),
    "last_bucket_twice_zero_times_all": Case(LastBucketTwice, Step(zero_times="*")),
    "input_without_grad_zero_times_all": Case(InputWithoutGrad, Step(zero_times="*")),
    "input_without_grad_zero_times_region": Case(InputWithoutGrad, Step(zero_times="l1.*")),
    "chain_dead_head_zero_times_all": Case(ChainDeadHead, Step(zero_times="*")),
    "chain_dead_head_zero_times_dead": Case(ChainDeadHead, Step(zero_times="dead.*")),
    "plain_unused_zero_times_all": Case(PlainUnused, Step(zero_times="*"), kinds=OFF),
    "plain_unused_zero_times_dead": Case(PlainUnused, Step(zero_times="dead.*"), kinds=OFF),
    # A checkpoint around the whole DDP model.
    "sequential_shared_checkpoint_outside_ddp": Case(sequential_shared, Step(checkpoint_around=True)),
    "plain_around": Case(Plain, Step(checkpoint_around=True)),
    "plain_around_input_without_grad": Case(Plain, Step(checkpoint_around=True), input_requires_grad=False),
    "plain_unused_around": Case(PlainUnused, Step(checkpoint_around=True)),
    "once_around": Case(Once, Step(checkpoint_around=True)),
    "last_bucket_twice_around": Case(LastBucketTwice, Step(checkpoint_around=True)),
    "chain_dead_head_around": Case(ChainDeadHead, Step(checkpoint_around=True)),
    "one_output_unused_around": Case(TwoOutputs, Step(checkpoint_around=True), loss=mean_square_of_first),
    "plain_dataclass_around": Case(returning(Fields, Plain), Step(checkpoint_around=True)),
    "dataclass_and_plain_around": Case(InFieldsAndPlain, Step(checkpoint_around=True)),
    "once_around_two_forwards": Case(Once, Step(checkpoint_around=True, forwards=2)),
    "once_around_no_sync": Case(Once, Step(checkpoint_around=True, no_sync=1)),
    "once_around_region_outside": Case(Once, Step(checkpoint_around=True, used_outside="l2.weight")),
}
