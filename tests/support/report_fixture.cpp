#include "tests/support/report_fixture.h"

#include <sstream>

#include "analyzer/diagnose/diagnose.h"
#include "analyzer/repair/fixes.h"
#include "analyzer/report/facts.h"
#include "gradscan/edits.h"
#include "tests/support/capture_text.h"
#include "tests/support/truth_cases.h"

namespace gradscan::tests {
namespace {

Predictions predictions_of(const Capture& capture, Checkpointing asked, const TrainingStep& step) {
  std::span in_turn(&capture, 1);
  return {predict(in_turn, asked, step), predict(in_turn, Checkpointing::as_given, step),
          predict(in_turn, Checkpointing::reentrant, step), predict(in_turn, Checkpointing::non_reentrant, step)};
}

// The row of the table that is about the regions as they are asked for.
Checkpointing kind_asked(const Capture& capture, const Setup& setup) {
  if (setup.checkpointing != Checkpointing::as_given || kinds_in(std::span(&capture, 1)).size() > 1) return setup.checkpointing;
  if (capture.regions.empty()) return Checkpointing::off;
  Kind kind = capture.regions.front().kind;
  return kind == Kind::reentrant       ? Checkpointing::reentrant
         : kind == Kind::non_reentrant ? Checkpointing::non_reentrant
                                       : Checkpointing::off;
}

Replays replays_from_marks(const Capture& capture, const Verdict& asked) {
  Replays replays{"2.13.0", asked, {{}}, {}};
  for (std::size_t index = ddp_order(capture).size(); index-- > 0;) replays.buckets[0].push_back(static_cast<int>(index));
  for (const Setup& setup : setups_to_compare(std::span(&capture, 1), asked.setup)) {
    bool same_flags =
        setup.find_unused_parameters == asked.setup.find_unused_parameters && setup.static_graph == asked.setup.static_graph;
    bool is_asked = same_flags && setup.checkpointing == kind_asked(capture, asked.setup);
    replays.verdicts.push_back(is_asked ? asked : verdict_from_marks(capture, setup));
    replays.verdicts.back().setup = setup;
  }
  return replays;
}

// Writes the text of a capture (see capture_text.h).
class ResNet50 {
 public:
  std::string text() {
    conv("h", "h", "conv1", "bn1");
    const int blocks[] = {3, 4, 6, 3};
    for (int layer = 1; layer <= 4; ++layer)
      for (int block = 0; block < blocks[layer - 1]; ++block)
        bottleneck("layer" + std::to_string(layer) + "." + std::to_string(block), block == 0);
    parameters_ << " fc.weight fc.bias";
    body_ << "h = linear h fc\noutput h\n";
    return "parameter" + parameters_.str() + "\ninput x\nh = view x\n" + body_.str();
  }

 private:
  void conv(const std::string& to, const std::string& from, const std::string& conv, const std::string& norm) {
    parameters_ << ' ' << conv << ".weight " << norm << ".weight " << norm << ".bias";
    body_ << to << " = convolution " << from << ' ' << conv << ".weight\n"
          << to << " = batch_norm " << to << ' ' << norm << ".weight " << norm << ".bias\n";
  }

  void bottleneck(const std::string& name, bool downsample) {
    body_ << "region " << name << " reentrant h\ni = view h\n";
    for (std::string k : {"1", "2", "3"}) conv("h", "h", name + ".conv" + k, name + ".bn" + k);
    if (downsample) conv("i", "i", name + ".downsample.0", name + ".downsample.1");
    body_ << "h = add h i\nend h\nh = relu h\n";
  }

  std::ostringstream parameters_, body_;
};

Trial trial_from_marks(const Capture& capture, const Setup& setup) {
  Replays replays{"2.13.0", verdict_from_marks(capture, setup), {{}}, {}};
  return trial_of(diagnosed(std::span(&capture, 1), setup, predictions_of(capture, setup.checkpointing, setup.step), replays));
}

}  // namespace

Verdict verdict_from_marks(const Capture& capture, const Setup& setup) {
  Prediction prediction = predict(std::span(&capture, 1), setup.checkpointing, setup.step);
  std::vector<int> all_marks = ready_marks(prediction, setup).marks;
  Causes firings = firings_without_ddp(prediction, setup.step, 0);
  Verdict verdict;
  verdict.setup = setup;
  std::vector<int> twice, never;
  int parameters = static_cast<int>(firings.size());
  for (int index = 0; index < parameters; ++index) {
    int marks = all_marks[index];
    if (marks > 1) twice.push_back(index);
    if (marks == 0) never.push_back(index);
    if (firings[index].empty()) verdict.untrained.push_back(index);
  }
  if (twice.empty() && never.empty()) return verdict;
  verdict.untrained.clear();
  verdict.outcome = twice.empty() ? Outcome::unfinished_reduction : Outcome::marked_ready_twice;
  verdict.iteration = !twice.empty() ? 0 : setup.static_graph ? 2 : 1;
  verdict.parameters = twice.empty() ? never : std::vector<int>{twice.back()};
  verdict.message = twice.empty() ? "Expected to have finished reduction in the prior iteration before starting a new one."
                                  : "Expected to mark a variable ready only once. Parameter at index " +
                                        std::to_string(twice.back()) + " has been marked as ready twice.";
  return verdict;
}

Report report_from_marks(const Capture& capture, const Setup& setup) {
  return report_from_marks(capture, verdict_from_marks(capture, setup));
}

Report report_from_marks(const Capture& capture, const Verdict& asked) {
  Report report =
      diagnosed(std::span(&capture, 1), asked.setup, predictions_of(capture, asked.setup.checkpointing, asked.setup.step),
                replays_from_marks(capture, asked));
  add_fixes(std::span(&capture, 1), report, [&](const std::vector<Candidate>& candidates) {
    std::vector<Trial> trials;
    for (const Candidate& candidate : candidates)
      trials.push_back(trial_from_marks(edited(capture, candidate.edits), candidate.setup));
    return trials;
  });
  add_smaller_batch(report);
  return report;
}

Verdict last_bucket_twice_not_averaged() {
  Verdict verdict;
  verdict.unsynchronised = {0, 1};
  for (int parameter : verdict.unsynchronised) verdict.local.push_back({parameter, {0, 1, 2, 3}, {0}, 0});
  verdict.last_mark = Firing{0, 1};
  return verdict;
}

Capture case_named(const std::string& name) {
  Capture capture = truth_cases().at(name).in_turn.front();
  capture.model = name + ".pt";
  return capture;
}

Capture resnet50() {
  Capture capture = capture_from_text(ResNet50().text());
  capture.model = "resnet50.pt";
  return capture;
}

}  // namespace gradscan::tests
