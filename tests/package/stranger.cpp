// Uses the installed library as its users would: scans the model file named on the command line, asks for one parameter and
// for the verdict, writes the picture. Says what is wrong and fails where the answers are not those known for the sample.
#include <gradscan/gradscan.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

int failures = 0;

void expect(bool condition, const std::string& what) {
  if (condition) return;
  std::cerr << "not true: " << what << '\n';
  ++failures;
}

void check_sample(const std::string& model, const std::string& picture) {
  gradscan::ScanOptions options;
  options.find_unused_parameters = true;
  const gradscan::Report report = gradscan::scan(model, options);

  expect(report.parameters.size() == 161, "the sample has 161 parameters");
  expect(gradscan::has_conflict(report), "the sample has a conflict");
  expect(report.verdict.outcome == gradscan::Outcome::marked_ready_twice, "a parameter is marked ready twice");
  expect(report.verdict.message.find("Expected to mark a variable ready only once") != std::string::npos, "DDP's own words");

  const gradscan::ParameterReport* weight = gradscan::find_parameter(report, "layer4.2.bn3.weight");
  expect(weight != nullptr, "layer4.2.bn3.weight is a parameter");
  if (weight == nullptr) return;
  expect(weight->firings.reentrant == 1, "its hook fires once");
  expect(weight->ready_marks.find_unused_parameters == 2, "it is marked ready twice");
  expect(report.verdict.parameters == std::vector<int>{weight->index}, "it is the one that the message names");

  gradscan::write_file(picture, gradscan::to_svg(report));
}

void check_errors() {
  try {
    gradscan::scan("no-such-file.pt");
    expect(false, "a missing file is an error");
  } catch (const gradscan::Error& error) {
    expect(error.failure() == gradscan::Failure::not_a_model, "a missing file is not a model");
    expect(std::string(error.what()).find("no-such-file.pt") == 0, "the error begins with the file's name");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    check_sample(argv[1], argv[2]);
    check_errors();
  } catch (const gradscan::Error& error) {
    expect(false, error.what());
  }
  return failures == 0 ? 0 : 1;
}
