// The members of a Plan, described once (analyzer/json/object.h).
#pragma once

#include "analyzer/report/report_fields.h"
#include "gradscan/plan.h"

namespace gradscan {

struct InPlan {};

template <typename Fields>
void describe(Fields& fields, As<Verdict, InPlan>) {
  fields.object("verdict_of_plan", "What DDP does with the plan, in the setup asked.");
  describe_outcome(fields, As<Verdict>{});
  fields.always("unsynchronised", &Verdict::unsynchronised,
                "Indices of parameters whose gradients differ between the ranks; empty where an error is raised.");
  fields.always("untrained", &Verdict::untrained,
                "Indices of parameters that never get a gradient other than zero; empty where an error is raised.");
}

template <typename Fields>
void describe(Fields& fields, As<Lever>) {
  fields.object("lever", "Another way to need less.");
  fields.always("change", &Lever::change, "What to do.");
  fields.always("needed", &Lever::needed, "Bytes, without any checkpoint.");
  fields.always("caveat", &Lever::caveat, "What the figure takes for granted.");
}

template <typename Fields>
void describe(Fields& fields, As<Plan>) {
  fields.document("gradscan-plan/1", "plan",
                  "Which modules to checkpoint so that training fits into the memory there is. All numbers are bytes.");
  fields.required("budget", &Plan::budget, "What was asked.");
  fields.required(
      "fits", &Plan::fits,
      "Whether modules are enough; if not, they are those that need least memory. False and without modules, although "
      "needed is not needed_without: DDP does worse with the checkpoints found than without any, so they are not "
      "offered; needed, price and verdict are those with them.");
  fields.required("modules", &Plan::modules,
                  "Paths of the modules to checkpoint, with use_reentrant=False, and no others, in the order of forward.");
  fields.always("options", &Plan::options, "What to add to gradscan's command line to scan the model that way.");
  fields.required("needed", &Plan::needed, "fixed and the peak of activations, with the plan.");
  fields.always("needed_without", &Plan::needed_without, "With no checkpoint at all.");
  fields.always("needed_as_given", &Plan::needed_as_given, "As the file is.");
  fields.always("price", &Plan::price, "Memory and work with the plan.");
  fields.always("fixed", &Plan::fixed, "Memory besides activations.");
  fields.required(
      "verdict", &Plan::verdict,
      "Of four iterations with the plan in the setup asked. A conflict is there with no module checkpointed as well, "
      "but where nothing is offered, see fits.",
      forms::Object<Verdict, InPlan>{});
  fields.always("levers", &Plan::levers, "Other ways to need less, priced without any checkpoint.");
}

}  // namespace gradscan
