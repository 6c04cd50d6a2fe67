// The members of a Plan, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/report/report_fields.h"
#include "gradscan/plan.h"

namespace gradscan {

struct InPlan {};

template <typename Fields>
void describe(Fields& fields, As<Verdict, InPlan>) {
  fields.object("verdict_of_plan", "What DDP does with the plan, in the requested setup.");
  describe_outcome(fields, As<Verdict>{});
  fields.always("unsynchronised", &Verdict::unsynchronised,
                "Indices of parameters whose gradients differ between the ranks; empty if an error is raised.");
  fields.always("untrained", &Verdict::untrained,
                "Indices of parameters that never get a gradient other than zero; empty if an error is raised.");
}

template <typename Fields>
void describe(Fields& fields, As<Alternative>) {
  fields.object("lever", "Another way to need less memory.");
  fields.always("change", &Alternative::change, "What to do.");
  fields.always("needed", &Alternative::needed, "Bytes, without any checkpoint.");
  fields.always("caveat", &Alternative::caveat, "What the figure assumes.");
}

template <typename Fields>
void describe(Fields& fields, As<Plan>) {
  fields.document("gradscan-plan/1", "plan",
                  "Which modules to checkpoint so that training fits into the available memory. All numbers are bytes.");
  fields.required("budget", &Plan::budget, "The memory budget.");
  fields.required(
      "fits", &Plan::fits,
      "Whether the modules are enough; if not, they are the ones that need least memory. If false without modules although "
      "needed differs from needed_without, DDP does worse with the checkpoints found than without any, so they are "
      "withdrawn; needed, price and verdict are those with them.");
  fields.required("modules", &Plan::modules,
                  "Paths of the modules to checkpoint, with use_reentrant=False, and no others, in the order of forward.");
  fields.always("options", &Plan::options, "What to add to gradscan's command line to scan the model that way.");
  fields.required("needed", &Plan::needed, "The fixed memory and the peak of activations, with the plan.");
  fields.always("needed_without", &Plan::needed_without, "The same without any checkpoint.");
  fields.always("needed_as_given", &Plan::needed_as_given, "The same with the checkpoints in the file.");
  fields.always("price", &Plan::price, "Memory and work with the plan.");
  fields.always("fixed", &Plan::fixed, "Memory besides activations.");
  fields.required(
      "verdict", &Plan::verdict,
      "Of four iterations with the plan in the requested setup. A conflict is also there with no module checkpointed, "
      "unless the plan is withdrawn, see fits.",
      forms::Object<Verdict, InPlan>{});
  fields.optional("doubts", &Plan::doubts, "What is wrong with the model, or not known of it, besides: titles of findings.");
  fields.always("levers", &Plan::alternatives, "Other ways to need less memory, priced without any checkpoint.");
}

}  // namespace gradscan
