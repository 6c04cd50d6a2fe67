// The members of a Setup, of its TrainingStep and of Edits, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/data/words.h"
#include "analyzer/json/object.h"
#include "gradscan/edits.h"
#include "gradscan/setup.h"

namespace gradscan {

using forms::As;

template <typename Fields>
void describe(Fields& fields, As<TrainingStep>) {
  using forms::at_least;
  fields.object("step", "What an iteration does around the model's forward.");
  fields.always("forwards", &TrainingStep::forwards, "Forward calls whose results enter one loss.", at_least(1));
  fields.always("backwards", &TrainingStep::backwards,
                "Backward calls of each loss; all but the last keep the graph (retain_graph=True).", at_least(1));
  fields.always("no_sync", &TrainingStep::no_sync,
                "Losses that go backward inside of ddp.no_sync() before the one that is synchronised.", at_least(0));
  fields.always("used_outside", &TrainingStep::used_outside,
                "Parameters that the loss takes besides forward's result, in this order; globs over names.");
  fields.always("zero_times", &TrainingStep::zero_times, "Parameters that the loss takes times zero; globs over names.");
  fields.always("checkpoint_around", &TrainingStep::checkpoint_around,
                "The kind of a checkpoint around the whole DDP model; off if there is none.");
  fields.always("set_to_none", &TrainingStep::set_to_none, "As zero_grad's argument.");
}

// The three by which the rows of a table differ. `setup` leads from the described object to its Setup's members.
template <typename Fields, typename Member>
void describe_row(Fields& fields, Member setup) {
  fields.always("checkpointing", setup(&Setup::checkpointing),
                "The kind that all regions are taken to be of; as_given: each is of its own.");
  fields.always("find_unused_parameters", setup(&Setup::find_unused_parameters), "As DistributedDataParallel's argument.");
  fields.always("static_graph", setup(&Setup::static_graph), "As DistributedDataParallel's argument.");
}

// Only who leaves bucket_cap_mb alone gets a smaller first bucket.
template <typename Fields>
void describe(Fields& fields, As<Setup>) {
  fields.object("setup", "How the model is trained.");
  describe_row(fields, [](auto member) { return member; });
  fields.computed(
      "bucket_cap_mb", [](const Setup& setup) { return bucket_caps(setup).others; },
      [](Setup& setup, double others) { setup.bucket_cap_mb = others; },
      "Size in MiB at which DDP closes a bucket of gradients.");
  fields.computed(
      "first_bucket_cap_mb", [](const Setup& setup) { return bucket_caps(setup).first; },
      [](Setup& setup, double first) {
        if (setup.bucket_cap_mb != first) setup.bucket_cap_mb.reset();
      },
      "That of the first bucket, which is smaller only where bucket_cap_mb is left alone.");
  fields.always("gradient_as_bucket_view", &Setup::gradient_as_bucket_view, "As DistributedDataParallel's argument.");
  fields.always("step", &Setup::step, "What one iteration does.");
}

template <typename Fields>
void describe(Fields& fields, As<CheckpointPattern>) {
  fields.object("pattern", "Regions that get another kind.");
  fields.always("glob", &CheckpointPattern::glob, "A glob over names of regions.");
  fields.always("kind", &CheckpointPattern::kind, "The kind that they get.");
}

template <typename Fields>
void describe(Fields& fields, As<Edits>) {
  fields.object("edits", "Changes of the model before DDP is made.");
  fields.always("checkpoint", &Edits::checkpoint, "Kinds of regions; later ones win.");
  fields.always("freeze", &Edits::freeze, "Globs over names of parameters that get requires_grad_(False).");
  fields.always("ignore", &Edits::ignore, "Globs over names of parameters that DDP is told to ignore.");
  fields.always("require_grad", &Edits::require_grad,
                "Globs over names of regions whose floating-point tensor arguments are made to require grad.");
}

}  // namespace gradscan
