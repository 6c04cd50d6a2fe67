// The text and the JSON of a Plan.
#include <fmt/format.h>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/plan_fields.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

constexpr int indent = 4, column = 20;

// See judge() in planning.h: only what the plan would have needed is left.
bool is_withdrawn(const Plan& plan) {
  return !plan.fits && plan.modules.empty() && plan.needed != plan.needed_without;
}

std::string headline(const Plan& plan) {
  std::string budget = bytes(plan.budget);
  if (is_withdrawn(plan))
    return fmt::format("no plan for {}: checkpoints that need {} cause a conflict that DDP does not have without them", budget,
                       bytes(plan.needed));
  if (!plan.fits && plan.needed_as_given <= plan.budget)
    return fmt::format("fits into {} as the file is; no set of modules to checkpoint, none inside another, was found that fits",
                       budget);
  if (!plan.fits)
    return fmt::format("does not fit into {}: the least found, by checkpointing modules of which none is inside another, is {}",
                       budget, bytes(plan.needed));
  if (plan.modules.empty()) return fmt::format("fits into {} without checkpoints", budget);
  return fmt::format("fits into {} with {} checkpointed", budget, count(plan.modules.size(), "module"));
}

std::string fixed_in_words(const FixedMemory& fixed) {
  return fmt::format(
      "{} of parameters, {} of gradients, {} of DDP's buckets{}", bytes(fixed.parameters), bytes(fixed.gradients),
      bytes(fixed.buckets),
      fixed.optimizer ? fmt::format(", {} of optimizer state", bytes(*fixed.optimizer)) : "; no optimizer given");
}

std::string activations_in_words(const Price& price) {
  std::string text = bytes(price.outside) + " from forward to backward";
  if (price.largest != 0) text += fmt::format(", {} more for the largest recomputation", bytes(price.largest));
  return text;
}

void write_memory(TerminalText& out, const Plan& plan) {
  out.item("needed", bytes(plan.needed), indent, column);
  out.item("no checkpoints", bytes(plan.needed_without), indent, column);
  out.item("as the file is", bytes(plan.needed_as_given), indent, column);
  out.item("fixed", fixed_in_words(plan.fixed), indent, column);
  out.item("activations", activations_in_words(plan.price), indent, column);
  std::string work = plan.price.forward_flops + plan.price.backward_flops == 0
                         ? "unknown"
                         : fmt::format("{}, {} of forward and backward", flops(plan.price.recompute_flops),
                                       percent(plan.price.recompute_share()));
  out.item("recomputed", work, indent, column);
}

void write_modules(TerminalText& out, const Plan& plan) {
  if (plan.modules.empty()) return;
  out.heading("Checkpoint these modules with use_reentrant=False, and no others");
  for (const std::string& module : plan.modules) out.prose(module, indent);
}

void write_alternatives(TerminalText& out, const Plan& plan) {
  out.heading("Alternatives without checkpoints");
  for (const Alternative& alternative : plan.alternatives) {
    out.prose(fmt::format("{}: {}", alternative.change, bytes(alternative.needed)), indent,
              alternative.needed <= plan.budget ? Paint::good : Paint::plain);
    out.prose(alternative.caveat, 2 * indent, Paint::dim);
  }
}

}  // namespace

std::string to_text(const Plan& plan, const TextOptions& options) {
  TerminalText out(options);
  out.prose(headline(plan), 0, plan.fits ? Paint::good : Paint::bad);
  write_memory(out, plan);
  write_modules(out, plan);
  const std::string_view judgement = !plan.verdict.clean() ? "in conflict" : plan.doubts.empty() ? "clean" : "in doubt";
  out.heading(fmt::format("{}: {}", ddp_call(plan.verdict.setup), judgement), plan.clean() ? Paint::good : Paint::bad);
  for (const std::string& doubt : plan.doubts) out.prose(doubt, indent);
  if (!plan.verdict.message.empty()) out.quote(plan.verdict.message, "    | ");
  if (!plan.verdict.clean() && !is_withdrawn(plan))
    out.prose("the conflict is there with no module checkpointed, too: checkpointing modules does not cause it", indent);
  if (!plan.options.empty()) out.prose("to check: add " + plan.options, indent);
  write_alternatives(out, plan);
  return out.take();
}

std::string to_json(const Plan& plan) {
  return forms::text_of(forms::Document<Plan>{}.write(plan));
}

}  // namespace gradscan
