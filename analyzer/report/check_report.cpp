#include "analyzer/report/check_report.h"

#include <algorithm>

#include "analyzer/report/report_fields.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

using forms::inside;
using forms::Malformed;

// A sum that is told to readers. No amount is negative.
class Total {
 public:
  void add(std::int64_t amount) {
    if (__builtin_add_overflow(sum_, amount, &sum_)) throw Malformed(" is too large an amount");
  }

 private:
  std::int64_t sum_ = 0;
};

// Calls check(element, position) for each element of the list with that key.
template <typename Element, typename Check>
void each(const char* key, const std::vector<Element>& elements, Check check) {
  for (std::size_t at = 0; at < elements.size(); ++at)
    inside(key, [&] { inside(at, [&] { check(elements[at], static_cast<int>(at)); }); });
}

// What the description of a report does not tell: how its numbers depend on each other.
class Check {
 public:
  explicit Check(const Report& report) : report_(report) {}

  void run() const {
    each("parameters", report_.parameters, [](const ParameterReport& parameter, int at) {
      if (parameter.index != at) throw Malformed(" does not stand in the order of its index");
    });
    sizes();
    each("regions", report_.regions, [&](const RegionReport& region, int at) { check(region, at); });
    each("stages", report_.stages, [&](const Stage& stage, int at) { check(stage, at); });
    inside("verdict", [&] { buckets(report_.verdict); });
    inside("verdict", [&] { check(report_.verdict); });
    each("verdicts", report_.verdicts, [&](const Verdict& verdict, int) { check(verdict); });
    prices();
    setups();
  }

 private:
  void sizes() const {
    Total total;
    each("parameters", report_.parameters, [&](const ParameterReport& parameter, int) {
      std::int64_t bytes = element_size(parameter.dtype);
      for (std::int64_t extent : parameter.shape)
        if (__builtin_mul_overflow(bytes, extent, &bytes)) throw Malformed(" is larger than any memory");
      total.add(bytes);
    });
  }

  void check(const RegionReport& region, int position) const {
    if (region.id != position) throw Malformed(" does not stand in the order of its id");
    if (region.parent >= position)
      throw Malformed(".parent: " + std::to_string(region.parent) + " is no region that stands before its children");
    int captures = std::max(static_cast<int>(report_.in_turn.size()), 1);
    if (region.in_turn >= captures) throw Malformed(".in_turn: " + std::to_string(region.in_turn) + " is no capture");
    for (int argument : region.arguments_without_grad)
      if (argument >= region.arguments)
        throw Malformed(".arguments_without_grad: " + std::to_string(argument) + " is no argument");
  }

  void check(const Stage& stage, int position) const {
    if (stage.region != none && report_.regions[stage.region].parent != none) throw Malformed(".region lies in another region");
    for (int next : stage.next)
      if (next <= position) throw Malformed(".next: " + std::to_string(next) + " is no later stage");
  }

  static void check(const Verdict& verdict) {
    auto same_or_less = [](const LocalGradient& left, const LocalGradient& right) { return left.parameter >= right.parameter; };
    if (std::adjacent_find(verdict.local.begin(), verdict.local.end(), same_or_less) != verdict.local.end())
      throw Malformed(".local does not ascend");
  }

  // Other verdicts are of setups whose buckets are not told.
  void buckets(const Verdict& verdict) const {
    each("local", verdict.local, [&](const LocalGradient& local, int) {
      if (local.bucket >= static_cast<int>(report_.buckets.size()))
        throw Malformed(".bucket: " + std::to_string(local.bucket) + " is no bucket");
    });
  }

  void prices() const {
    Total saved, recomputed, fixed;
    each("regions", report_.regions, [&](const RegionReport& region, int) {
      saved.add(region.saved_bytes);
      recomputed.add(region.recompute_flops);
    });
    inside("price", [&] { check(report_.price); });
    each("prices", report_.prices, [](const PriceRow& row, int) { check(row.price); });
    each("fixes", report_.fixes, [](const Fix& fix, int) { check(fix.price); });
    inside("fixed", [&] {
      for (std::int64_t bytes : {report_.fixed.parameters, report_.fixed.gradients, report_.fixed.buckets}) fixed.add(bytes);
      fixed.add(report_.fixed.optimizer.value_or(0));
    });
  }

  static void check(const Price& price) {
    Total bytes, flops;
    for (std::int64_t amount : {price.outside, price.largest}) bytes.add(amount);
    for (std::int64_t amount : {price.forward_flops, price.backward_flops, price.recompute_flops}) flops.add(amount);
  }

  void setups() const {
    if (report_.verdicts.size() % 3 != 0) throw Malformed(".verdicts are not three for each kind of checkpointing");
    if (!report_.setups.empty() && report_.setups.size() != report_.verdicts.size())
      throw Malformed(".setups are not one for each verdict");
    each("setups", report_.setups, [](const Report& setup, int) {
      if (!setup.setups.empty()) throw Malformed(" has setups");
      Check(setup).run();
    });
  }

  const Report& report_;
};

}  // namespace

std::string flaw(const Report& report) {
  try {
    forms::Document<Report>{}.check(report);
    Check(report).run();
  } catch (const Malformed& error) {
    return error.what();
  } catch (const Error& error) {  // of element_size()
    return std::string(".parameters: ") + error.what();
  }
  return "";
}

}  // namespace gradscan
