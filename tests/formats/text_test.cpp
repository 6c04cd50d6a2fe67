#include <algorithm>

#include "analyzer/review/baseline.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using tests::case_named;
using tests::check_golden;
using tests::report_from_marks;

TEST_CASE("text reports", "[golden]") {
  check_golden("resnet50_find_unused.txt", to_text(report_from_marks(tests::resnet50(), {.find_unused_parameters = true})));
  check_golden("resnet50_find_unused_160.txt",
               to_text(report_from_marks(tests::resnet50(), {.find_unused_parameters = true}), {.width = 160}));
  check_golden("once.txt", to_text(report_from_marks(case_named("once"))));
  check_golden("twice.txt", to_text(report_from_marks(case_named("twice"))));
  check_golden("tied_across_region_edge.txt", to_text(report_from_marks(case_named("tied_across_region_edge"))));
  check_golden("frozen_stem.txt", to_text(report_from_marks(case_named("frozen_stem_detached_input"), {.static_graph = true})));
  check_golden("plain_unused.txt", to_text(report_from_marks(case_named("plain_unused"))));
}

TEST_CASE("a silent failure is shown as loudly as an error", "[golden]") {
  check_golden("last_bucket_twice.txt",
               to_text(report_from_marks(case_named("last_bucket_twice"), tests::last_bucket_twice_not_averaged())));
}

TEST_CASE("an accepted finding is shown with its reason, and the report does not say that all is well", "[golden]") {
  Report report = report_from_marks(case_named("last_bucket_twice"), tests::last_bucket_twice_not_averaged());
  Survey survey{{{.path = "models/m.pt", .report = report, .exit_code = 1}}};
  Baseline baseline = baseline_of(survey);
  for (BaselineEntry& entry : baseline.findings) entry.reason = "waits for mmcv 2.2";
  apply(baseline, survey, "2026-11-24");
  CHECK_FALSE(has_conflict(*survey.files[0].report));
  check_golden("accepted.txt", to_text(survey));
}

TEST_CASE("the columns of the table stay apart", "[golden]") {
  Report report = report_from_marks(case_named("last_bucket_twice"), {.find_unused_parameters = true});
  report.verdicts[0].outcome = Outcome::pass;
  report.verdicts[0].unsynchronised = {0, 1};
  check_golden("silent_beside_error.txt", to_text(report));
}

TEST_CASE("a loss of nothing") {
  Report report = report_from_marks(case_named("once"));
  for (Output& output : report.outputs) output.in_loss = false;
  CHECK(to_text(report).find("loss        none; not used: h float32[8, 20]") != std::string::npos);
}

TEST_CASE("no regions: none that the file names, or none at all") {
  Capture capture = case_named("plain");
  CHECK(to_text(report_from_marks(capture)).find("regions     the file names no checkpoint regions\n") != std::string::npos);
  capture.regions_known = true;
  CHECK(to_text(report_from_marks(capture)).find("regions     none: forward does not call torch.utils.checkpoint\n") !=
        std::string::npos);
}

TEST_CASE("names in a file do nothing to the terminal") {
  Capture capture = case_named("twice");
  capture.model = "evil\x1b]0;title\x07\n.pt";
  capture.parameters[2].name = "l2\x1b[31m\r\nweight\xff";
  capture.regions[0].name = capture.regions[1].name = "l2\u202e\n";
  capture.notes = {"a\x1b[2Jnote"};
  std::string text = to_text(report_from_marks(capture));
  for (char byte : {'\x1b', '\x07', '\r', '\xff'}) CHECK(text.find(byte) == std::string::npos);
  CHECK(text.find("\u202e") == std::string::npos);
  CHECK(text.find("l2\\x1b[31m\\r\\nweight\\xff") != std::string::npos);
  std::string story = explain(report_from_marks(capture), "2");
  for (char byte : {'\x1b', '\x07', '\r', '\xff'}) CHECK(story.find(byte) == std::string::npos);
}

TEST_CASE("colours only on request") {
  Report report = report_from_marks(case_named("twice"));
  CHECK(to_text(report).find('\x1b') == std::string::npos);
  CHECK(to_text(report, {.color = true}).find("\x1b[1;31m") != std::string::npos);
}

TEST_CASE("prose keeps to the width") {
  std::string text = to_text(report_from_marks(tests::resnet50(), {.find_unused_parameters = true}), {.width = 80});
  std::size_t longest = 0, length = 0;
  for (char byte : text) {
    bool continues = (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
    length = byte == '\n' ? 0 : length + (continues ? 0 : 1);
    longest = std::max(longest, length);
  }
  CHECK(longest <= 80);
}

}  // namespace
}  // namespace gradscan
