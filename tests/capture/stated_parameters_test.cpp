#include "analyzer/capture/stated_parameters.h"

#include <stdexcept>

#include "tests/support/catch.h"

using namespace gradscan;
using Order = std::vector<std::size_t>;

namespace {

// A frozen stem, and a weight that the head shares.
std::vector<Parameter> of_the_file() {
  return {{.name = "stem", .requires_grad = false}, {.name = "a", .aliases = {"head"}}, {.name = "b"}};
}

}  // namespace

TEST_CASE("Parameters stand in the stated order, those that are not stated behind") {
  std::vector<Parameter> parameters = of_the_file();
  CHECK(stated_order({{"b"}, {"a"}}, parameters) == Order{2, 1, 0});
  CHECK(stated_order({{"b"}, {"stem"}, {"a"}}, parameters) == Order{2, 0, 1});
  CHECK(stated_order({{"a"}, {"b"}}, parameters) == Order{1, 2, 0});
}

TEST_CASE("A parameter may be stated by another name, which becomes its first, and with the name that DDP prints") {
  std::vector<Parameter> parameters = of_the_file();
  CHECK(stated_order({{"head", "a.first"}, {"b"}}, parameters) == Order{1, 2, 0});
  CHECK(parameters[1].name == "head");
  CHECK(parameters[1].aliases == std::vector<std::string>{"a"});
  CHECK(ddp_name(parameters[1]) == "a.first");
}

TEST_CASE("A stated name that DDP prints anyway is not kept") {
  std::vector<Parameter> parameters = of_the_file();
  stated_order({{"a", "head"}, {"b", "b"}}, parameters);
  CHECK(parameters[1].ddp_name == "");
  CHECK(parameters[2].ddp_name == "");
}

TEST_CASE("Stated parameters that do not fit are refused") {
  std::vector<Parameter> parameters = of_the_file();
  CHECK_THROWS_WITH(stated_order({{"a"}, {"c"}}, parameters), "the model has no parameter c");
  CHECK_THROWS_WITH(stated_order({{"a"}, {"b"}, {"head"}}, parameters), "it lists the parameter head twice");
  CHECK_THROWS_WITH(stated_order({{"a"}, {"stem"}}, parameters), "it does not list the parameter b, which requires grad");
}
