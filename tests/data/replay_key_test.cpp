#include "analyzer/data/replay_key.h"

#include <nlohmann/json.hpp>

#include "analyzer/data/setup_fields.h"
#include "tests/support/catch.h"

using namespace gradscan;

namespace {

using forms::Json;

Setup setup_from(const Json& json) {
  Setup setup;
  forms::Object<Setup>{}.read(json, setup);
  return setup;
}

Json changed(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 7 ? Json(8) : Json(7);
  if (value.is_array()) return Json::array({"a.*"});
  return value == "off" ? "reentrant" : "off";
}

}  // namespace

TEST_CASE("setups that differ in any member have different keys") {
  const Json setup = forms::Object<Setup>{}.write({}, {});
  const std::string key = replay_key(Setup{});
  for (const auto& [name, value] : setup.items()) {
    if (name == "step" || name == "first_bucket_cap_mb") continue;
    Json other = setup;
    other[name] = changed(value);
    if (name == "bucket_cap_mb") other["first_bucket_cap_mb"] = other[name];
    INFO(name);
    CHECK(replay_key(setup_from(other)) != key);
  }
  for (const auto& [name, value] : setup["step"].items()) {
    Json other = setup;
    other["step"][name] = changed(value);
    INFO(name);
    CHECK(replay_key(setup_from(other)) != key);
  }
  CHECK(replay_key(setup_from(setup)) == key);
}

TEST_CASE("who gives the default of bucket_cap_mb has no smaller first bucket") {
  CHECK(replay_key({.bucket_cap_mb = 25}) != replay_key(Setup{}));
}

TEST_CASE("edits have the same key if they are the same") {
  auto with = [](Kind kind) { return replay_key({.checkpoint = {{"a", kind}}}); };
  CHECK(with(Kind::off) != with(Kind::non_reentrant));
  CHECK(with(Kind::off) != with(Kind::reentrant));
  CHECK(replay_key({.freeze = {"a"}}) != replay_key({.ignore = {"a"}}));
  CHECK(replay_key({.freeze = {"a", "b"}}) != replay_key({.freeze = {"a\", \"b"}}));
}
