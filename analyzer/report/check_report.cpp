#include "analyzer/report/check_report.h"

#include <algorithm>

#include "gradscan/error.h"
#include "gradscan/firings.h"

namespace gradscan {
namespace {

struct Flaw {
  std::string words;
};

// All numbers of the list are from `first` to `last` - 1.
void within(const std::vector<int>& numbers, int first, std::size_t last, const char* what) {
  for (int number : numbers)
    if (number < first || number >= static_cast<int>(last)) throw Flaw{std::to_string(number) + " is no " + what};
}

void ascending(const std::vector<int>& numbers, const char* what) {
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal()) != numbers.end())
    throw Flaw{std::string("a list of ") + what + " does not ascend"};
}

void not_negative(std::int64_t number, const char* what) {
  if (number < 0) throw Flaw{std::string(what) + " is negative"};
}

// A sum that is told to readers.
class Total {
 public:
  void add(std::int64_t amount) {
    not_negative(amount, "an amount");
    if (__builtin_add_overflow(sum_, amount, &sum_)) throw Flaw{"an amount is too large"};
  }

 private:
  std::int64_t sum_ = 0;
};

class Check {
 public:
  explicit Check(const Report& report) : report_(report) {}

  void run() const {
    for (std::size_t at = 0; at < report_.parameters.size(); ++at) parameter(report_.parameters[at], at);
    sizes();
    for (std::size_t at = 0; at < report_.regions.size(); ++at) region(report_.regions[at], at);
    for (std::size_t at = 0; at < report_.stages.size(); ++at) stage(report_.stages[at], at);
    if (report_.second_run) second_run(*report_.second_run);
    for (const std::vector<int>& bucket : report_.buckets) parameters(bucket);
    verdict(report_.verdict);
    for (const LocalGradient& local : report_.verdict.local) within({local.bucket}, 0, report_.buckets.size(), "bucket");
    for (const Verdict& row : report_.verdicts) verdict(row);
    for (const Finding& finding : report_.findings)
      for (const Group& each : finding.groups) group(each);
    prices();
    setups();
    step(report_.setup.step);
  }

 private:
  void parameters(const std::vector<int>& numbers) const { within(numbers, 0, report_.parameters.size(), "parameter"); }
  void ascending_parameters(const std::vector<int>& numbers) const {
    parameters(numbers);
    ascending(numbers, "parameters");
  }
  void regions(const std::vector<int>& numbers) const { within(numbers, 0, report_.regions.size(), "region"); }
  void region_or_none(int number) const { within({number}, none, report_.regions.size(), "region"); }
  void causes(const std::vector<int>& numbers) const {
    within(numbers, std::min(outer_graph, around_model), report_.regions.size(), "cause");
  }

  void parameter(const ParameterReport& parameter, std::size_t position) const {
    if (parameter.index != static_cast<int>(position)) throw Flaw{"parameters do not stand in the order of their indices"};
    causes(parameter.fired_by);
    causes(parameter.fired_by_sink);
    causes(parameter.heard);
    within(parameter.used_in, none, report_.regions.size(), "region");
    ascending(parameter.used_in, "regions");
    within(parameter.idle_in, 0, report_.in_turn.size(), "capture");
    region_or_none(parameter.lost_in);
    for (int number :
         {parameter.firings.reentrant, parameter.firings.non_reentrant, parameter.firings.off, parameter.ready_marks.defaults,
          parameter.ready_marks.find_unused_parameters, parameter.ready_marks.static_graph})
      not_negative(number, "a number of firings or marks");
  }

  void sizes() const {
    Total total;
    for (const ParameterReport& parameter : report_.parameters) {
      std::int64_t bytes = element_size(parameter.dtype);
      for (std::int64_t extent : parameter.shape) {
        not_negative(extent, "the extent of a parameter");
        if (__builtin_mul_overflow(bytes, extent, &bytes)) throw Flaw{"a parameter is larger than any memory"};
      }
      total.add(bytes);
    }
  }

  void region(const RegionReport& region, std::size_t position) const {
    if (region.id != static_cast<int>(position)) throw Flaw{"regions do not stand in the order of their numbers"};
    within({region.parent}, none, position, "region that stands before its children");
    within({region.in_turn}, 0, std::max<std::size_t>(report_.in_turn.size(), 1), "capture");
    ascending_parameters(region.parameters);
    not_negative(region.arguments, "a number of arguments");
    within(region.arguments_without_grad, 0, region.arguments, "argument");
    ascending(region.arguments_without_grad, "arguments");
    not_negative(region.nested_outputs, "a number of outputs");
    for (const Place& place : region.closures) region_or_none(place.region);
  }

  void stage(const Stage& stage, std::size_t position) const {
    region_or_none(stage.region);
    if (stage.region != none && report_.regions[stage.region].parent != none)
      throw Flaw{"the region of a stage lies in another region"};
    ascending_parameters(stage.parameters);
    within(stage.next, static_cast<int>(position) + 1, report_.stages.size(), "later stage");
  }

  void second_run(const SecondRun& run) const {
    region_or_none(run.place.region);
    causes(run.causes);
  }

  void verdict(const Verdict& verdict) const {
    if (verdict.iteration) not_negative(*verdict.iteration, "an iteration");
    parameters(verdict.parameters);
    ascending_parameters(verdict.unsynchronised);
    ascending_parameters(verdict.untrained);
    std::vector<int> local;
    for (const LocalGradient& each : verdict.local) {
      local.push_back(each.parameter);
      causes(each.late);
      not_negative(each.bucket, "a bucket");
    }
    ascending_parameters(local);
    if (!verdict.last_mark) return;
    parameters({verdict.last_mark->parameter});
    causes({verdict.last_mark->cause});
  }

  void group(const Group& group) const {
    regions(group.regions);
    ascending_parameters(group.parameters);
    for (int number : {group.folded, group.firings, group.ready_marks}) not_negative(number, "a number of a group");
  }

  void prices() const {
    Total saved, recomputed;
    for (const RegionReport& region : report_.regions) {
      saved.add(region.saved_bytes);
      recomputed.add(region.recompute_flops);
    }
    price(report_.price);
    for (const PriceRow& row : report_.prices) price(row.price);
    for (const Fix& fix : report_.fixes) price(fix.price);
    Total fixed;
    for (std::int64_t bytes : {report_.fixed.parameters, report_.fixed.gradients, report_.fixed.buckets}) fixed.add(bytes);
    fixed.add(report_.fixed.optimizer.value_or(0));
  }

  static void price(const Price& price) {
    Total bytes, flops;
    for (std::int64_t amount : {price.outside, price.largest}) bytes.add(amount);
    for (std::int64_t amount : {price.forward_flops, price.backward_flops, price.recompute_flops}) flops.add(amount);
  }

  void setups() const {
    if (report_.verdicts.size() % 3 != 0) throw Flaw{"the verdicts are not three for each kind of checkpointing"};
    if (!report_.setups.empty() && report_.setups.size() != report_.verdicts.size())
      throw Flaw{"there is not one report for each verdict"};
    for (const Report& setup : report_.setups) {
      if (!setup.setups.empty()) throw Flaw{"the report of a setup has setups"};
      Check(setup).run();
    }
  }

  static void step(const TrainingStep& step) {
    if (step.forwards < 1 || step.backwards < 1 || step.no_sync < 0) throw Flaw{"a training step has no forward or backward"};
  }

  const Report& report_;
};

}  // namespace

std::string flaw(const Report& report) {
  try {
    Check(report).run();
  } catch (const Flaw& flaw) {
    return flaw.words;
  } catch (const Error& error) {  // of element_size()
    return error.what();
  }
  return "";
}

}  // namespace gradscan
