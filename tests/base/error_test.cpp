#include "gradscan/error.h"

#include "tests/support/catch.h"

using gradscan::Error;
using gradscan::Failure;

namespace {
std::string line(const std::string& subject, const std::string& problem, const std::string& remedy = "") {
  return Error(Failure::usage, subject, problem, remedy).what();
}
}  // namespace

TEST_CASE("An error is its subject, problem and remedy in one line") {
  CHECK(line("model.pt", "is empty", "copy it again") == "model.pt: is empty: copy it again");
  CHECK(line("model.pt", "is empty") == "model.pt: is empty");
  CHECK(line("", "no model is given") == "no model is given");
  CHECK(Error(Failure::limit, "", "late").failure() == Failure::limit);
}

TEST_CASE("Line breaks in what a model says become spaces") {
  CHECK(line("m.pt", "\nThe following failed:\n  x + y\r\n  ~~~ <--- HERE\n\n") ==
        "m.pt: The following failed: x + y ~~~ <--- HERE");
}

TEST_CASE("Control characters in file names and messages are shown, not sent to the terminal") {
  CHECK(line("a\nb", "is empty") == "a\\nb: is empty");
  CHECK(line("a\x1b[2Jb", "is \x1b[31mred\x7f") == "a\\x1b[2Jb: is \\x1b[31mred\\x7f");
  CHECK(line("a\u202eb\u009b2J", "is \xff") == "a\\u202eb\\u009b2J: is \\xff");
}

TEST_CASE("The line of an error can be the subject of another one") {
  std::string once = line("a  \n\x01 b", "is  empty\nnow", "copy");
  CHECK(line(once, "") == once);
}

TEST_CASE("The values of Failure are the documented exit codes") {
  CHECK(exit_code(Failure::usage) == 2);
  CHECK(exit_code(Failure::not_a_model) == 3);
  CHECK(exit_code(Failure::model_failed) == 4);
  CHECK(exit_code(Failure::limit) == 5);
  CHECK(exit_code(Failure::output) == 6);
  CHECK(exit_code(Failure::internal) == 70);
}
