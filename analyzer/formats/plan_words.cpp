// The text and the JSON of a Plan.
#include <nlohmann/json.hpp>

#include "analyzer/diagnose/outcome_words.h"
#include "analyzer/formats/terminal.h"
#include "analyzer/report/json.h"
#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "gradscan/writers.h"

namespace gradscan {
namespace {

using Json = nlohmann::ordered_json;

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

void write_memory(TerminalText& out, const Plan& plan) {
  out.item("needed", bytes(plan.needed), indent, column);
  out.item("without any", bytes(plan.needed_without), indent, column);
  out.item("as the file is", bytes(plan.needed_as_given), indent, column);
  out.item("fixed", fixed_in_words(plan.fixed), indent, column);
  out.item("activations", activations_in_words(plan.price), indent, column);
  std::string work =
      plan.price.forward_flops + plan.price.backward_flops == 0
          ? "unknown"
          : flops(plan.price.recompute_flops) + ", " + percent(plan.price.recompute_share()) + " of forward and backward";
  out.item("recomputed", work, indent, column);
}

void write_modules(TerminalText& out, const Plan& plan) {
  if (plan.modules.empty()) return;
  out.heading("Checkpoint these, with use_reentrant=False, and no others");
  for (const std::string& module : plan.modules) out.prose(module, indent);
}

void write_alternatives(TerminalText& out, const Plan& plan) {
  out.heading("Without checkpoints");
  for (const Alternative& alternative : plan.alternatives) {
    out.prose(alternative.change + ": " + bytes(alternative.needed), indent,
              alternative.needed <= plan.budget ? Paint::good : Paint::plain);
    out.prose(alternative.caveat, 2 * indent, Paint::dim);
  }
}

Json verdict(const Verdict& verdict) {
  return {{"outcome", to_string(verdict.outcome)},
          {"iteration", verdict.iteration ? Json(*verdict.iteration) : Json(nullptr)},
          {"message", verdict.message},
          {"unsynchronised", verdict.unsynchronised},
          {"untrained", verdict.untrained}};
}

Json alternative(const Alternative& alternative) {
  return {{"change", alternative.change}, {"needed", alternative.needed}, {"caveat", alternative.caveat}};
}

}  // namespace

std::string to_text(const Plan& plan, const TextOptions& options) {
  TerminalText out(options);
  out.prose(headline(plan), 0, plan.fits ? Paint::good : Paint::bad);
  write_memory(out, plan);
  write_modules(out, plan);
  out.heading(ddp_call(plan.verdict.setup) + (plan.verdict.clean() ? ": clean" : ": in conflict"),
              plan.verdict.clean() ? Paint::good : Paint::bad);
  if (!plan.verdict.message.empty()) out.quote(plan.verdict.message, "    | ");
  if (!plan.verdict.clean() && !is_taken_back(plan))
    out.prose("so it is with no module checkpointed: the conflict is not one of checkpointing modules", indent);
  if (!plan.options.empty()) out.prose("to check: add " + plan.options, indent);
  write_alternatives(out, plan);
  return out.take();
}

std::string to_json(const Plan& plan) {
  Json alternatives = Json::array();
  for (const Alternative& each : plan.alternatives) alternatives.push_back(alternative(each));
  return text_of({{"schema", "gradscan-plan/1"},
                  {"budget", plan.budget},
                  {"fits", plan.fits},
                  {"modules", plan.modules},
                  {"options", plan.options},
                  {"needed", plan.needed},
                  {"needed_without", plan.needed_without},
                  {"needed_as_given", plan.needed_as_given},
                  {"price", json_of_price(plan.price)},
                  {"fixed", json_of_fixed_memory(plan.fixed)},
                  {"verdict", verdict(plan.verdict)},
                  {"levers", alternatives}});
}

}  // namespace gradscan
