#include "analyzer/graph/step.h"

#include "gradscan/error.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

namespace gradscan {
namespace {

using Indices = std::vector<int>;

// DDP indices: a.weight 0, a.bias none (frozen), b.weight 1, c.weight 2.
Capture three_layers() {
  return tests::capture_from_text(
      "parameter a.weight\nfrozen a.bias\nparameter b.weight c.weight\nalias b.weight tied.weight\n"
      "data x\nh = mul x a.weight\ng = mul h b.weight\nk = mul g c.weight\noutput h\noutput k unused");
}

Indices plain(const std::vector<std::string>& globs) {
  return outside_uses(three_layers(), {.used_outside = globs}).plain;
}

std::string refusal(const TrainingStep& step) {
  try {
    outside_uses(three_layers(), step);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("parameters that the loss uses, without repetition and in the requested order") {
  CHECK(plain({}) == Indices{});
  CHECK(plain({"c.weight", "a.weight"}) == Indices{2, 0});
  CHECK(plain({"c.*", "*.weight"}) == Indices{2, 0, 1});
  CHECK(plain({"tied.*", "b.weight"}) == Indices{1});
  CHECK(plain({"a.bias"}) == Indices{});
  OutsideUses uses = outside_uses(three_layers(), {.used_outside = {"a.*"}, .zero_times = {"a.weight", "b.*"}});
  CHECK(uses.plain == Indices{0});
  CHECK(uses.times_zero == Indices{0, 1});
}

TEST_CASE("a step that makes no sense is refused, by the option that says it") {
  CHECK(refusal({.used_outside = {"b.wieght"}}) ==
        "--used-outside b.wieght: matches no parameter of text: did you mean b.weight?");
  CHECK(refusal({.zero_times = {"a.*", "q*"}}) == "--zero-times q*: matches no parameter of text: give its full name");
  CHECK(refusal({.forwards = 0}) == "--forwards 0: is too low: use at least 1");
  CHECK(refusal({.backwards = -3}) == "--backwards -3: is too low: use at least 1");
  CHECK(refusal({.no_sync = -1}) == "--no-sync -1: is too low: use at least 0");
  CHECK(refusal({}) == "accepted");
}

TEST_CASE("a reentrant checkpoint around the model starts backward at all of its outputs, if it records anything") {
  Capture capture = three_layers();
  CHECK(outputs_in_backward(capture, {}) == std::vector<bool>{true, false});
  CHECK(outputs_in_backward(capture, {.checkpoint_around = Kind::non_reentrant}) == std::vector<bool>{true, false});
  CHECK(outputs_in_backward(capture, {.checkpoint_around = Kind::reentrant}) == std::vector<bool>{false, false});
  capture.inputs[0].requires_grad = true;
  CHECK(outputs_in_backward(capture, {.checkpoint_around = Kind::reentrant}) == std::vector<bool>{true, true});
  capture.outputs[1].direct = false;
  CHECK(outputs_in_backward(capture, {.checkpoint_around = Kind::reentrant}) == std::vector<bool>{true, false});
}

}  // namespace gradscan
