"""Measures what the real DistributedDataParallel does with models of cases.py that are changed as gradscan's Edits say.

    python3 tests/truth/measure_edits.py [EDIT...]      (some minutes; writes tests/truth/edit_rows.json, or prints these rows)

The file is as that of measure.py, where a row's "case" names one of EDITS, and has these besides: {"case": that of cases.py,
"freeze" | "ignore" | "require_grad": globs}. Inputs of regions are made to require grad where they do not.
"""
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import measure
from cases import CASES, matching
from torch import multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

EDITS = {
    "freeze_dead": {"case": "plain_unused", "freeze": "dead.*"},
    "freeze_dead_head": {"case": "chain_dead_head", "freeze": "dead.*"},
    "freeze_part_of_region": {"case": "twice", "freeze": "l2.weight"},
    "freeze_before_region": {"case": "once", "freeze": "l1.*"},
    "freeze_last_bucket_twice": {"case": "last_bucket_twice", "freeze": "l1.weight"},
    "freeze_tied": {"case": "tied_embedding", "freeze": "head.weight"},
    "freeze_returned": {"case": "raw_parameter_returned", "freeze": "b"},
    "freeze_behind_lost_region": {"case": "input_without_grad", "freeze": "l2.*"},
    "ignore_dead": {"case": "plain_unused", "ignore": "dead.*"},
    "ignore_dead_head": {"case": "chain_dead_head", "ignore": "dead.*"},
    "ignore_region": {"case": "once", "ignore": "l2.*"},
    "ignore_twice": {"case": "twice", "ignore": "l2.*"},
    "ignore_tied": {"case": "tied_embedding", "ignore": "table.weight"},
    "ignore_returned": {"case": "raw_parameter_returned", "ignore": "b"},
    "ignore_scaled_returned": {"case": "scaled_parameter_returned", "ignore": "b"},
    "ignore_one_of_two_outputs": {"case": "region_two_outputs_one_used", "ignore": "a.*"},
    "require_grad_of_lost_region": {"case": "input_without_grad", "require_grad": "l1"},
    "require_grad_of_chain": {"case": "frozen_stem_detached_input", "require_grad": "*"},
    "require_grad_of_tied": {"case": "tied_embedding_all_in_regions", "require_grad": "*"},
}


def requiring_grad(checkpoint):
    def call(function, *args):
        return checkpoint(function, *(arg if arg.requires_grad else arg.requires_grad_() for arg in args))

    return call


def edited_model(edit, checkpoint):
    model = CASES[edit["case"]].model(requiring_grad(checkpoint) if "require_grad" in edit else checkpoint)
    names = dict(model.named_parameters(remove_duplicate=False))
    for parameter in matching(model, edit.get("freeze", "")) + [names[name] for name in names if name == edit.get("freeze")]:
        parameter.requires_grad_(False)
    ignored = [name for name in names if any(names[name] is found for found in matching(model, edit.get("ignore", "")))]
    if ignored:  # DDP puts a dot between a module's path and the parameter's name, also where the path is empty
        ignored = [name if "." in name else "." + name for name in ignored]
        DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, ignored)
    return model


def edited(edit):
    return replace(CASES[edit["case"]], model=lambda checkpoint: edited_model(edit, checkpoint))


def work(*arguments):
    measure.CASES = {name: edited(edit) for name, edit in EDITS.items()}
    measure.work(*arguments)


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(EDITS)
    measure.CASES = {name: edited(edit) for name, edit in EDITS.items()}
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, (f"{folder}/store", wanted, f"{folder}/seen"), measure.RANKS)
        text = measure.written(measure.torch.load(f"{folder}/seen"))
    edits = ",\n".join(f"  {json.dumps(name)}: {json.dumps(EDITS[name])}" for name in wanted)
    text = text.replace('{"measured_with"', f'{{"edits": {{\n{edits}\n}},\n"measured_with"', 1)
    if sys.argv[1:]:
        print(text, end="")
    else:
        Path(__file__).with_name("edit_rows.json").write_text(text)
