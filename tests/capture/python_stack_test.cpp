#include "analyzer/capture/python_stack.h"

#include <string>

#include "tests/support/catch.h"

using namespace gradscan;

TEST_CASE("The user's line is the innermost that belongs neither to torch nor to the Python package") {
  std::string stack =
      "/site/gradscan/tracing.py(131): __torch_function__\n"
      "/site/torch/nn/modules/linear.py(134): forward\n"
      "C:\\site\\gradscan\\observe.py(100): run_region\n"
      "/home/me/gradscan/model.py(17): forward\n"
      "/home/me/train.py(40): <module>\n";
  CHECK(user_line(parse_stack(stack)) == "model.py:17");
  CHECK(user_frame(parse_stack(stack))->file == "/home/me/gradscan/model.py");
  CHECK(user_line(parse_stack("tracing.py(3): forward\n")) == "tracing.py:3");
  CHECK(user_line(parse_stack("/home/me/mygradscan/inline.py(3): forward\n")) == "inline.py:3");
}

TEST_CASE("A text that is no Python stack has no lines") {
  CHECK(parse_stack("x + y").empty());
  CHECK(user_line({}) == "");
  CHECK(user_frame({}) == nullptr);
}
