// A Report: everything gradscan has found out about a model, as plain data. Every output format is a rendering of it.
//
//     Report report = analyse(capture, setup);               // gradscan/analyse.h
//     report.parameters[157].firings.reentrant;              // 1
//     report.verdict.outcome;                                // marked_ready_twice
//     find_parameter(report, "layer4.2.bn3.weight")->ready_marks.find_unused_parameters;   // 2
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/edits.h"
#include "gradscan/price.h"
#include "gradscan/setup.h"
#include "gradscan/verdict.h"

namespace gradscan {

// What gradscan knows about a parameter that requires grad; Report::parameters is indexed by DDP index.
//
// A firing is one run of the hook that DDP installs. A ready mark is what lets DDP reduce the parameter's bucket. By default
// every firing is a mark. With find_unused_parameters, firings through DDP's sink count too, and DDP's search marks every
// parameter that it does not see. With static_graph, a parameter is marked once, by the last of as many firings as iteration 0
// had, or at once if it had none; 0 marks mean that there are fewer firings than in iteration 0.
struct ParameterReport {
  int index = 0;
  std::string name{};
  std::vector<std::string> aliases{};
  std::vector<std::int64_t> shape{};
  std::string dtype{};
  struct {
    int reentrant = 0, non_reentrant = 0, off = 0;
  } firings;  // per iteration, if all regions were of that kind
  struct {
    int defaults = 0, find_unused_parameters = 0, static_graph = 0;
  } ready_marks;                       // per iteration, with the regions of setup.checkpointing
  std::vector<Cause> fired_by{};       // of each firing, with the regions of setup.checkpointing
  std::vector<Cause> fired_by_sink{};  // of the additional firings while DDP's sink is behind forward (see firings.h)
  // Causes of the firings that reach DDP in the requested setup, ascending: those of the first backward of the loss that is
  // synchronised, in the first iteration in which they do not amount to exactly one ready mark.
  std::vector<Cause> heard{};
  bool in_loss = false;         // whether the loss would depend on it through forward without checkpointing
  bool used_by_loss = false;    // whether the loss uses it directly, in addition to forward's result (TrainingStep)
  bool seen_if_off = false;     // whether DDP's search for unused parameters would find it without checkpointing
  bool seen_by_search = false;  // whether DDP's search for unused parameters finds it in the requested setup
  std::vector<int> used_in{};   // innermost regions that use it, ascending; none: used outside all, or as a region's argument
  std::vector<int> idle_in{};   // positions in Report::in_turn of the captures in which no backward reaches it
  std::string returned_as{};    // path of the output that is this parameter itself; empty if there is none
  int lost_in = none;           // the first lost region through which part of its gradient would come; none if there is none
};

// A node of the graph, described by where its tensor was made.
struct Place {
  int region = none;                     // the reentrant region whose output it is; the rest is then empty
  std::string op{}, module{}, source{};  // see Node
};

// A node that saves tensors and that more than one backward reaches: torch stops at the second.
struct SecondRun {
  Place place{};
  std::vector<Cause> causes{};  // these backward passes, ascending
};

// Whether a backward reaches a region: that of the loss, or that through DDP's sink, which is behind forward with
// find_unused_parameters and in the first iteration with static_graph.
struct Reach {
  bool from_loss = false, from_sink = false;
  bool loses = false;  // whether part of a parameter's gradient is missing because backward does not get there
};

struct RegionReport {
  int id = 0;       // its number in causes
  int in_turn = 0;  // position in Report::in_turn of the capture that it belongs to
  std::string name{};
  Kind kind = Kind::reentrant;   // under setup.checkpointing
  Kind given = Kind::reentrant;  // in the capture
  int parent = none;
  std::vector<int> parameters{};  // DDP indices of the parameters used inside, ascending; those of nested regions too
  bool lost = false;              // reentrant and not executed, although the loss depends on what it computes
  bool executed = false;          // whether its inner backward runs (reentrant only)
  std::vector<int> arguments_without_grad{};  // slots of direct tensor arguments that do not require grad
  int arguments = 0;                          // number of direct tensor arguments
  int nested_outputs = 0;  // number of outputs inside a dict or list, which a reentrant region returns without grad
  // Tensors from the graph outside that its function uses without taking them as arguments (closures; reentrant only): the
  // inner backward continues from there into that graph.
  std::vector<Place> closures{};
  std::string source{};
  std::string place{};  // see Region
  RegionOrigin origin = RegionOrigin::unknown;
  std::string recomputation{};  // see Region
  Mismatch mismatch = Mismatch::unknown;
  // Whether its function runs a second time: if it is reentrant and other regions are as in the capture, if all regions are
  // reentrant, and if it is non-reentrant, in which case what it saves has to be needed.
  Reach reach_as_given{}, reach_if_reentrant{}, reach_if_non_reentrant{};
  std::int64_t saved_bytes = 0;  // activations that the forward inside saves for backward, each storage once
  std::int64_t recompute_flops = 0;
};

// One piece of the model, in backward order: an outermost region, or what the outer graph does between such regions. The stages
// and their edges are the contracted outer graph.
struct Stage {
  int region = none;
  std::string label{};            // the region's name, or the modules: "avgpool, fc"
  std::vector<int> parameters{};  // DDP indices used here, ascending
  std::vector<int> next{};        // stages that receive its gradients; stages are in backward order
};

// Parameters to which the same thing happens for the same reason.
struct Group {
  std::string label{};                 // "layer4.2", "layer3.1 … layer3.5", "fc"
  std::vector<int> regions{};          // the regions involved; empty: outside all regions
  std::vector<int> parameters{};       // DDP indices, ascending
  int folded = 1;                      // number of equal neighbours that this group stands for: 5 in "layer3.1 … layer3.5"
  std::vector<std::string> members{};  // parameter names of one of them, without the module path in the label
  // Of each parameter, per iteration, in the requested setup; empty if they are not the same for all, and not what matters.
  std::optional<int> firings{}, ready_marks{};
  std::string reason{};  // where each mark comes from: "DDP's search does not find it (1), inner backward of its region (1)"
};

struct Finding {
  std::string rule{};  // stable id: "marked-ready-twice", "unfinished-reduction", "graph-changed", "other-error",
                       // "recomputation-differs", "not-averaged", "not-trained", "seen-otherwise", "graph-varies",
                       // "no-regions-named"
  Severity severity = Severity::error;
  std::string title{};          // one line
  std::string why{};            // two or three plain sentences about this case
  std::vector<Group> groups{};  // every affected parameter, in exactly one group
  std::string accepted{};       // why a baseline accepts it; empty: none does. An accepted finding is not a conflict
};

// A change after which nothing is wrong: the report of the changed model has no conflict, except that its graphs may still
// vary. Fixes are numbered from 1 in their order: first those that leave the checkpointing alone, then those that change as
// little of it as possible.
struct Fix {
  std::string change{};   // what to write: "DistributedDataParallel(model, static_graph=True)"
  std::string options{};  // what to add to gradscan's command line to scan it: "--static-graph"
  Setup setup{};
  Edits edits{};                       // of the captures, in addition
  std::vector<std::string> caveats{};  // conditions beyond this iteration: "only if every iteration runs the same graph"
  Price price{};                       // of the training step with the fix
};

// A change that people often try but that does not repair this setup.
struct NoHelp {
  std::string change{};  // as Fix::change
  std::string reason{};  // why, in a sentence: what DDP does then, or what is still wrong
};

// Memory and work of one choice of checkpointing.
struct PriceRow {
  Checkpointing checkpointing = Checkpointing::as_given;
  Price price{};
};

struct Report {
  std::string gradscan{};    // version
  std::string torch{};       // version of the LibTorch used
  std::string written_by{};  // version of the torch that wrote the file; empty if unknown
  std::string model{};
  std::vector<std::string> in_turn{};  // names of the captures that forward calls play in turn, the first being `model`
  Setup setup{};
  std::vector<ParameterReport> parameters{};
  int frozen = 0;   // parameters that do not require grad, which DDP ignores
  int ignored = 0;  // parameters that DDP has to ignore
  std::vector<RegionReport> regions{};
  bool regions_known = false;  // whether Capture::regions_known is true for all captures
  std::vector<Stage> stages{};
  std::optional<SecondRun> second_run{};    // without DDP
  std::vector<std::vector<int>> buckets{};  // DDP indices per bucket in the requested setup
  Verdict verdict{};                        // of the requested setup
  std::vector<Verdict> verdicts{};          // nine rows {reentrant, non_reentrant, off} x {defaults, find_unused_parameters,
                                            // static_graph}, preceded by three as_given rows if the file mixes kinds
  std::vector<Finding> findings{};          // errors, silent failures, what is unknown, notes
  std::vector<Fix> fixes{};                 // empty if there is no conflict
  std::vector<NoHelp> no_help{};            // likewise
  Price price{};                            // of the requested setup
  std::vector<PriceRow> prices{};           // of the kinds of checkpointing in `verdicts`, in that order
  FixedMemory fixed{};                      // what does not depend on checkpointing
  std::vector<Report> setups{};             // the reports of `verdicts`, in that order and without fixes; filled on request
  // Parameters, by name, whose hooks fire otherwise in a real backward than predicted: no verdict can be relied on.
  std::vector<Disagreement> disagreements{};
  // With which the model failed to train as recorded, without DDP, though its graph does not explain it; empty: it did not.
  std::string backward_error{};
  bool changed_since = false;           // whether the graph has been changed since, so that it may fail or not
  std::vector<std::string> dropping{};  // see Capture; of all captures, like the next two
  std::vector<std::string> varying{};
  std::vector<std::string> ended{};
  std::vector<Input> inputs{};
  std::vector<Output> outputs{};
  bool loss_guessed = false;  // see Capture
  std::vector<std::string> notes{};
};

// True if a finding of the requested setup is more than a note and no baseline accepts it: it is an error, a silent failure,
// or something that gradscan cannot know.
bool has_conflict(const Report& report);

// True if one of those is an error or a silent failure.
bool has_failure(const Report& report);

// The exit code of the command line: 0; 1 if has_conflict(); 70 if there are disagreements.
int exit_code(const Report& report);

// By DDP index ("432"), name or alias; nullptr if there is none.
const ParameterReport* find_parameter(const Report& report, std::string_view name_or_index);

}  // namespace gradscan
