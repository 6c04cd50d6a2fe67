// The text and the JSON of a Plan.
#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/page.h"
#include "analyzer/formats/plan_fields.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr int indent = 4, column = 20;

// See judge() in planning.h: nothing is left of the plan but what it would have needed.
bool is_taken_back(const Plan& plan) {
  return !plan.fits && plan.modules.empty() && plan.needed != plan.needed_without;
}

std::string headline(const Plan& plan) {
  std::string budget = bytes(plan.budget);
  if (is_taken_back(plan))
    return "no checkpoints to offer for " + budget + ": those that need " + bytes(plan.needed) +
           " bring DDP into a conflict that it does not have without them";
  if (!plan.fits && plan.needed_as_given <= plan.budget)
    return "fits into " + budget +
           " as the file is, which checkpoints of modules of which none lies inside another do not reach";
  if (!plan.fits)
    return "does not fit into " + budget +
           ": the least that was found, checkpoints of modules of which none lies inside another, is " + bytes(plan.needed);
  if (plan.modules.empty()) return "fits into " + budget + " without checkpoints";
  return "fits into " + budget + " with " + count(plan.modules.size(), "module") + " checkpointed";
}

std::string fixed_in_words(const FixedMemory& fixed) {
  std::string text = bytes(fixed.parameters) + " of parameters, " + bytes(fixed.gradients) + " of gradients, " +
                     bytes(fixed.buckets) + " of DDP's buckets";
  if (fixed.optimizer) return text + ", " + bytes(*fixed.optimizer) + " of the optimizer";
  return text + "; no optimizer was named";
}

std::string activations_in_words(const Price& price) {
  std::string text = bytes(price.outside) + " from forward until backward";
  if (price.largest != 0) text += ", " + bytes(price.largest) + " more for the largest recomputation";
  return text;
}

void write_memory(Page& page, const Plan& plan) {
  page.item("needed", bytes(plan.needed), indent, column);
  page.item("without any", bytes(plan.needed_without), indent, column);
  page.item("as the file is", bytes(plan.needed_as_given), indent, column);
  page.item("fixed", fixed_in_words(plan.fixed), indent, column);
  page.item("activations", activations_in_words(plan.price), indent, column);
  std::string work =
      plan.price.forward_flops + plan.price.backward_flops == 0
          ? "unknown"
          : flops(plan.price.recompute_flops) + ", " + percent(plan.price.recompute_share()) + " of forward and backward";
  page.item("recomputed", work, indent, column);
}

void write_modules(Page& page, const Plan& plan) {
  if (plan.modules.empty()) return;
  page.heading("Checkpoint these, with use_reentrant=False, and no others");
  for (const std::string& module : plan.modules) page.prose(module, indent);
}

void write_levers(Page& page, const Plan& plan) {
  page.heading("Without checkpoints");
  for (const Lever& lever : plan.levers) {
    page.prose(lever.change + ": " + bytes(lever.needed), indent, lever.needed <= plan.budget ? Paint::good : Paint::plain);
    page.prose(lever.caveat, 2 * indent, Paint::dim);
  }
}

}  // namespace

std::string to_text(const Plan& plan, const TextOptions& options) {
  Page page(options);
  page.prose(headline(plan), 0, plan.fits ? Paint::good : Paint::bad);
  write_memory(page, plan);
  write_modules(page, plan);
  page.heading(ddp_call(plan.verdict.setup) + (plan.verdict.clean() ? ": clean" : ": in conflict"),
               plan.verdict.clean() ? Paint::good : Paint::bad);
  if (!plan.verdict.message.empty()) page.quote(plan.verdict.message, "    | ");
  if (!plan.verdict.clean() && !is_taken_back(plan))
    page.prose("so it is with no module checkpointed: the conflict is not one of checkpointing modules", indent);
  if (!plan.options.empty()) page.prose("to check: add " + plan.options, indent);
  write_levers(page, plan);
  return page.take();
}

std::string to_json(const Plan& plan) {
  return forms::text_of(forms::Document<Plan>{}.write(plan));
}

}  // namespace gradscan
