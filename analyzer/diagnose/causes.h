// Why something happens to a parameter, worked out from the report: where it is used, what fires it, what DDP's search sees,
// which regions are executed.
#pragma once

#include <string>
#include <vector>

#include "gradscan/report.h"

namespace gradscan {

enum class Reason {
  // More than one ready mark.
  fires_several_times,   // in several regions, or in a region and outside
  several_forwards,      // in the same region, which each of several forward calls executes
  taken_by_loss,         // in a region, and because the loss uses the parameter directly
  unseen_but_in_loss,    // fires once, because the loss uses the parameter directly; DDP's search starts from forward's result
  several_backwards,     // fires once in each of several backwards, the first of which leaves the reduction unfinished
  inside_region,         // fires once, but DDP's search does not see into its region
  returned_itself,       // forward returns the parameter itself, which has no node that DDP's search could start from
  behind_hidden_output,  // fires once, but only through outputs that DDP does not find
  // No gradient.
  not_used,               // nothing that forward computes with gradients uses it
  not_in_loss,            // used, but the loss does not depend on it under any kind of checkpointing
  no_argument_with_grad,  // its reentrant region is not executed: none of its direct tensor arguments requires grad
  nested_outputs,         // its reentrant region is not executed: the outputs that the loss needs are inside a dict or list
  not_in_every_graph,     // not used in some of the graphs that forward calls run in turn
  around_unrecorded,      // a reentrant checkpoint around the model records nothing
  cut_off,                // a region that is not executed lies between it and the loss
  only_through_sink,      // with static_graph, fires in iteration 0 because of DDP's sink, and not afterwards
  zero_gradient,          // fires, but with zeros only: its region has outputs that the loss does not use
  // A gradient that stays local.
  after_the_last_mark,  // it fires once more after all parameters are marked
  later_backward,       // it fires in a backward after the one that DDP reduces
  no_tensor_found,      // static_graph, and DDP finds no tensor in forward's return value
  unknown,
};

struct Diagnosis {
  Reason reason = Reason::unknown;
  std::vector<int> regions;  // the regions involved, ascending
  bool outside = false;      // whether the parameter also fires (or, if it does not fire, is used) outside all regions

  bool operator==(const Diagnosis&) const = default;
};

Diagnosis why_marked_again(const Report& report, const ParameterReport& parameter);
Diagnosis why_no_gradient(const Report& report, const ParameterReport& parameter);
Diagnosis why_not_averaged(const Report& report, const ParameterReport& parameter);

// Why backward does not execute this reentrant region.
Reason why_not_executed(const RegionReport& region);

// Whether DDP searches for unused parameters.
bool searches(const Setup& setup);

// When and why the parameter's gradient stays local in the report's setup; nullptr if it does not.
const LocalGradient* local_gradient(const Report& report, int parameter);

// "a.pt and b.pt": the names of the captures at these positions in Report::in_turn.
std::string names_of_graphs(const Report& report, const std::vector<int>& turns);

// The regions among these causes, ascending, each one once.
std::vector<int> regions_of(const std::vector<Cause>& causes);

// The backward that causes a firing outside all regions: "outer backward", or that of a checkpoint around the whole model.
std::string outer_in_words(Cause cause);

// Whether a reentrant checkpoint around the whole model records nothing: it gets no tensor that requires grad, or returns what
// the loss uses inside a dict or object. And the reason, in a sentence.
bool is_unrecorded(const Report& report);
std::string unrecorded_in_words(const Report& report);

// In the report's setup.
int marks_asked(const Report& report, const ParameterReport& parameter);
bool marked_by_search(const Report& report, const ParameterReport& parameter);

// "layer4.2"; "l2, call 2" if several regions have this name.
class RegionNames {
 public:
  explicit RegionNames(const Report& report);
  const std::string& operator[](int region) const { return names_[region]; }

  // "layer4.2", "l1 and l2", "l2, calls 1, 2 and 3", "layer1.0 … layer4.2 (16 regions)"
  std::string list(const std::vector<int>& regions) const;

 private:
  bool same_function(const std::vector<int>& regions) const;

  const Report& report_;
  std::vector<std::string> names_;
  std::vector<int> calls_;  // for each region, its number among those of the same name, from 1
};

}  // namespace gradscan
