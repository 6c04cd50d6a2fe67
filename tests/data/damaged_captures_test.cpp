// A capture is checked whole when it is read: whatever is damaged in it, it is refused, or every pass over it runs.
#include <nlohmann/json.hpp>

#include "analyzer/graph/edits.h"
#include "gradscan/capture.h"
#include "gradscan/error.h"
#include "gradscan/price.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/report_fixture.h"

namespace gradscan {
namespace {

using nlohmann::json;

// Whatever walks a capture without torch.
void walk(const Capture& capture) {
  for (Checkpointing checkpointing :
       {Checkpointing::as_given, Checkpointing::reentrant, Checkpointing::non_reentrant, Checkpointing::off}) {
    price(capture, checkpointing);
    region_prices(capture, checkpointing);
  }
  fixed_memory(capture, {}, Optimizer::adam);
  batch_size(capture);
  to_text(tests::report_from_marks(capture, {.find_unused_parameters = true}));
  CHECK(to_json(parse_capture(to_json(capture), "again")) == to_json(capture));
}

class Damage {
 public:
  explicit Damage(const json& sound) : sound_(sound), leaves_(sound.flatten()) {}

  // Each value in turn is replaced by others of its type and by one of another, and left out.
  void every_value() {
    std::size_t turn = 0;
    for (const auto& [pointer, value] : leaves_.items()) {
      for (const json& other : others(value)) replace(pointer, other);
      replace(pointer, foreign_[turn++ % foreign_.size()]);
      leave_out(pointer);
    }
  }

  // Each element of each list in turn is there twice, is gone, changes places with the next, is that of another list.
  void every_list() {
    for (const char* key : {"inputs", "outputs", "parameters", "regions", "storages", "nodes"})
      for (std::size_t at = 0; at < sound_[key].size(); ++at) {
        change([&](json& capture) { capture[key].insert(capture[key].begin() + at, sound_[key][at]); });
        change([&](json& capture) { capture[key].erase(at); });
        change([&](json& capture) { std::swap(capture[key][at], capture[key][(at + 1) % capture[key].size()]); });
        change([&](json& capture) { capture[key][at] = sound_["nodes"].back(); });
      }
  }

  void every_region() {
    for (std::size_t at = 0; at < sound_["regions"].size(); ++at) {
      change([&](json& capture) { std::swap(capture["regions"][at]["begin"], capture["regions"][at]["end"]); });
      change([&](json& capture) { capture["regions"][at]["parent"] = at; });
      change([&](json& capture) { capture["regions"][at]["parent"] = sound_["regions"].size() - 1; });
      change([&](json& capture) { capture["regions"][at]["nested_outputs"] = {0, 0, 1, 2}; });
    }
  }

  int refused() const { return refused_; }
  int accepted() const { return accepted_; }

 private:
  static std::vector<json> others(const json& value) {
    if (value.is_boolean()) return {!value.get<bool>()};
    if (!value.is_number_integer()) return {};
    return {-2, -1, 0, value.get<std::int64_t>() + 1, 1'000'000, 2147483648, 9223372036854775807};
  }

  void replace(const std::string& pointer, const json& value) {
    change([&](json& capture) { capture.at(json::json_pointer(pointer)) = value; });
  }

  void leave_out(const std::string& pointer) {
    json::json_pointer path(pointer);
    change([&](json& capture) {
      json& parent = capture.at(path.parent_pointer());
      if (parent.is_array())
        parent.erase(std::stoul(path.back()));
      else
        parent.erase(path.back());
    });
  }

  template <typename Change>
  void change(Change change) {
    json capture = sound_;
    change(capture);
    std::string text = capture.dump();
    INFO(text);
    std::optional<Capture> read;
    try {
      read = parse_capture(text, "damaged");
    } catch (const Error& error) {
      CHECK(error.failure() == Failure::not_a_model);
      ++refused_;
      return;
    }
    walk(*read);
    ++accepted_;
  }

  const json sound_, leaves_;
  const std::vector<json> foreign_{nullptr, true, -1.5, 1e300, "x", json::array(), json::object(), json::array({1})};
  int refused_ = 0, accepted_ = 0;
};

void check_damage(const Capture& capture) {
  Damage damage(json::parse(to_json(capture)));
  damage.every_value();
  damage.every_list();
  damage.every_region();
  CHECK(damage.refused() > 100);
  CHECK(damage.accepted() > 10);
}

TEST_CASE("no damaged capture can make gradscan crash") {
  check_damage(read_capture("tests/price/Shared.capture.json"));
  check_damage(tests::case_named("nested"));
}

TEST_CASE("a parameter that DDP ignores has no node of a parameter") {
  Capture capture = tests::case_named("twice");
  capture.parameters[0].ignored = true;
  CHECK_THROWS_WITH(parse_capture(to_json(capture), "c"),
                    tests::contains("belongs to a parameter that DDP ignores, but is not a leaf"));
}

TEST_CASE("amounts that 64 bits cannot add up are refused when they are read") {
  Capture capture = tests::case_named("twice");
  for (Node& node : capture.nodes) node.forward_flops = 1LL << 59;
  CHECK_THROWS_WITH(parse_capture(to_json(capture), "c"), tests::contains("more FLOPs than 64 bits can count"));
}

}  // namespace
}  // namespace gradscan
