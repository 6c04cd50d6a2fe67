#include "analyzer/data/rules.h"

#include <algorithm>
#include <array>

namespace gradscan {
namespace {

constexpr std::array<Rule, 10> table{{
    {.id = "marked-ready-twice",
     .outcome = Outcome::marked_ready_twice,
     .phrase = "ready only once",
     .severity = Severity::error,
     .in_table = "ready twice",
     .of_parameter = "ready twice",
     .fate = "marked ready twice in",
     .title = "DDP marks a parameter ready twice in one iteration",
     .help =
         "DistributedDataParallel averages a bucket of gradients once every parameter in it has been marked ready, and raises "
         "at a second mark: \"Expected to mark a variable ready only once\". A parameter is marked each time its gradient "
         "hook fires: once by the outer backward, and once more by the inner backward of every reentrant checkpoint region "
         "that uses it. With find_unused_parameters=True, DDP's search also marks every parameter that it does not find, and "
         "it cannot see into a reentrant region. DDP's message names one parameter; the finding names them all.",
     .remedy =
         "Call checkpoint(..., use_reentrant=False): every parameter then fires once, and the search finds it. If only the "
         "search is to blame and every parameter gets a gradient, find_unused_parameters=False is enough. static_graph=True "
         "helps if every iteration runs the same graph."},
    {.id = "unfinished-reduction",
     .outcome = Outcome::unfinished_reduction,
     .phrase = "Expected to have finished reduction",
     .severity = Severity::error,
     .in_table = "unfinished",
     .of_parameter = "not ready",
     .fate = "never marked ready: DDP stops in",
     .title = "A parameter is not marked ready",
     .help =
         "A parameter that gets no gradient is never marked, so the bucket that holds it is never reduced. DDP notices in the "
         "next forward: \"Expected to have finished reduction in the prior iteration\". Either the loss does not depend on "
         "the parameter, or backward does not execute the reentrant checkpoint region that uses it, because none of the "
         "region's direct tensor arguments requires grad or because the outputs that the loss uses are inside a dict or list.",
     .remedy =
         "If the loss does not need the parameter, freeze or remove it before DDP is constructed; find_unused_parameters=True "
         "helps too, unless there are reentrant regions. If its region is not executed, call checkpoint(..., "
         "use_reentrant=False) or make an argument require grad: find_unused_parameters=True would only hide that the "
         "parameter is not trained."},
    {.id = "graph-changed",
     .outcome = Outcome::graph_changed,
     .phrase = "training graph has changed",
     .severity = Severity::error,
     .in_table = "graph change",
     .of_parameter = "graph changed",
     .fate = "fired more often than in iteration 0: DDP stops in",
     .title = "A later iteration differs from the first, although static_graph=True promises that none does",
     .help =
         "With static_graph=True, DDP takes the firings of iteration 0 as a contract for all iterations, and raises when a "
         "parameter fires more often: \"Your training graph has changed\". Branches, randomly dropped layers and modules that "
         "are used only in some iterations break that contract.",
     .remedy = "Leave out static_graph=True, or make every iteration run the same graph."},
    {.id = "other-error",
     .outcome = Outcome::other,
     .phrase = "",
     .severity = Severity::error,
     .in_table = "other",
     .of_parameter = "affected",
     .fate = "where training stops in",
     .title = "Training stops with another error of DDP or of backward",
     .help =
         "The usual ones are \"Trying to backward through the graph a second time\", when the function of a reentrant region "
         "uses a tensor from the graph outside that is not among its arguments, so that its inner backward continues into "
         "that graph and frees what it meets; \"Encountered gradient which is undefined\", when DDP reduces before all "
         "gradients exist; and failed checks of DDP's own state, for an order of calls that it does not support, such as "
         "no_sync() in the first iteration with static_graph=True.",
     .remedy = "Pass every tensor that a region uses to it as a direct argument, or call checkpoint(..., use_reentrant=False), "
               "whose function may use any tensor."},
    {.id = "recomputation-differs",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::error,
     .in_table = "recomputed",
     .of_parameter = "recomputed otherwise",
     .fate = "computed from a recomputation that differs from forward",
     .title = "The function of a checkpoint region takes a different path when it runs again",
     .help =
         "Backward runs the function of a checkpoint region a second time. Here, that run saves other tensors than the first: "
         "the function depends on a counter, a cache, a global, or on random numbers that are not preserved. If the region is "
         "non-reentrant, torch raises CheckpointError if fewer tensors are saved, or others by shape, type or device, unless "
         "the call has determinism_check=\"none\"; more do no harm, because torch stops the second run once it has what it "
         "needs. "
         "If only numbers differ, or if the region is reentrant, nothing is raised, and the gradients are those of another "
         "forward than the one whose loss was computed.",
     .remedy = "Make the function depend on its arguments only: pass in what it reads from elsewhere, and leave "
               "preserve_rng_state=True. No kind of checkpointing repairs it, except not to checkpoint that function."},
    {.id = "not-averaged",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::silent,
     .in_table = "unaveraged",
     .of_parameter = "not averaged",
     .fate = "not averaged across the ranks; DDP is silent",
     .title = "Gradients differ between the ranks, and DDP says nothing",
     .help =
         "DDP finishes an iteration once every parameter has its first mark. A hook that fires after that adds to the "
         "gradient of its own rank only: no error is raised, and the ranks' models drift apart. This happens when the last "
         "first mark falls inside the inner backward of a reentrant region whose parameters fire again, and when a loss goes "
         "backward more than once.",
     .remedy = "Call checkpoint(..., use_reentrant=False), and run backward once per forward."},
    {.id = "not-trained",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::silent,
     .in_table = "not trained",
     .of_parameter = "not trained",
     .fate = "never trained; DDP is silent",
     .title = "A parameter loses its gradient, or part of it, and DDP says nothing",
     .help =
         "Backward executes a reentrant checkpoint region only if one of its direct tensor arguments requires grad and the "
         "loss reaches one of its outputs that is not inside a dict or list. What a region that is not executed computes adds "
         "nothing to any gradient, and with find_unused_parameters=True or static_graph=True DDP does not say so. A note of "
         "this rule names parameters that the loss does not depend on, with or without checkpointing.",
     .remedy =
         "Call checkpoint(..., use_reentrant=False), or make an argument of the region require grad and return its outputs as "
         "a tensor or a tuple of tensors."},
    {.id = "seen-otherwise",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::unknown,
     .in_table = "differs",
     .of_parameter = "fires otherwise",
     .fate = "fires otherwise in a real backward than predicted",
     .title = "A real backward does not do what gradscan predicts",
     .help =
         "gradscan.record and gradscan.export train the model for a moment as it is, without DDP, and note which gradient "
         "hooks fire. If these are not the hooks that the recorded graph predicts, training does something that gradscan has "
         "not seen, such as a backward inside an autograd Function or a hook: no verdict on this file can be relied on, and "
         "the exit code is 70. If that run fails with an error that the graph does not explain, the error is charged to the "
         "model as recorded, and what happens with other checkpointing or another training step is unknown.",
     .remedy = "Please report it, with the model if possible. Meanwhile, run the job on two ranks with a small batch inside "
               "gradscan.explain: DDP itself then decides."},
    {.id = "graph-varies",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::unknown,
     .in_table = "varies",
     .of_parameter = "",
     .fate = "",
     .title = "Training may run other graphs than those in the file",
     .help =
         "The verdict holds for the graphs in the file. Forward builds others, too: it drops layers at random, depends on a "
         "counter or a cache, or could not be run as often as asked. With static_graph=True, DDP raises when a hook fires "
         "more often or less often than in the first iteration; with its defaults, when a parameter gets no gradient. With "
         "find_unused_parameters=True and no reentrant region, DDP passes whatever an iteration leaves out, so there this "
         "is no reason for doubt.",
     .remedy =
         "Write the file with gradscan.record, which keeps each graph that forward builds, and let it see more of them with a "
         "larger iterations=. Captures of branches that you know can be scanned in turn: gradscan a.capture.json --then "
         "b.capture.json. What is random stays unknown."},
    {.id = "no-regions-named",
     .outcome = std::nullopt,
     .phrase = "",
     .severity = Severity::note,
     .in_table = "",
     .of_parameter = "",
     .fate = "",
     .title = "The file names no checkpoint regions",
     .help = "A traced file does not record which modules are checkpointed, so the verdict holds for the model without "
             "checkpointing.",
     .remedy = "Write the file with gradscan.export, which sees every call of checkpoint, or name the regions with "
               "--checkpoint PATTERN."},
}};

constexpr std::array<SeverityWords, 6> severities{{
    {.severity = Severity::failed, .name = "failed", .title = "Failed", .loud = "FAILED", .heading = "FAILED"},
    {.severity = Severity::error, .name = "error", .title = "Error", .loud = "ERROR", .heading = "ERROR"},
    {.severity = Severity::silent, .name = "silent", .title = "Silent failure", .loud = "SILENT", .heading = "SILENT FAILURE"},
    {.severity = Severity::unknown, .name = "unknown", .title = "Unknown", .loud = "UNKNOWN", .heading = "UNKNOWN"},
    {.severity = Severity::note, .name = "note", .title = "Note", .loud = "note", .heading = "NOTE"},
    {.severity = Severity::clean, .name = "pass", .title = "OK", .loud = "ok", .heading = "OK"},
}};

template <typename Holds>
const Rule* first(Holds holds) {
  auto found = std::find_if(table.begin(), table.end(), holds);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Rule> rules() {
  return table;
}

const Rule* find_rule(std::string_view id) {
  return first([&](const Rule& rule) { return rule.id == id; });
}

const Rule& rule_of(Outcome outcome) {
  return *first([&](const Rule& rule) { return rule.outcome == outcome; });
}

Outcome outcome_of(std::string_view message) {
  const Rule* rule =
      first([&](const Rule& each) { return !each.phrase.empty() && message.find(each.phrase) != std::string_view::npos; });
  return rule ? *rule->outcome : Outcome::other;
}

const SeverityWords& severity_words(Severity severity) {
  return severities[static_cast<std::size_t>(severity)];
}

}  // namespace gradscan
