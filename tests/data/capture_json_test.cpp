#include <filesystem>

#include "gradscan/capture.h"
#include "gradscan/error.h"
#include "tests/support/capture_text.h"
#include "tests/support/catch.h"

using namespace gradscan;
using tests::capture_from_text;

namespace {

Capture everything() {
  Capture capture = capture_from_text(
      "parameter a.weight\nfrozen a.bias\nalias a.weight b.weight\ninput x\nregion outer reentrant x -\nh = mul x a.weight\n"
      "region inner non_reentrant h\nh = relu h\nend h {x}\nend h\noutput h\noutput x unused hidden");
  capture.model = "m.pt";
  capture.written_by = "2.9.1";
  capture.exported = {true, true, false, 12.5, true};
  capture.regions_known = true;
  capture.notes = {"a note with \"quotes\" and \n a line"};
  capture.dropping = {"encoder has layerdrop=0.1"};
  capture.varying = {"forward draws Python's random numbers"};
  capture.ended = {"a later forward fails"};
  capture.parameters[0].ddp_name = "a.weight";
  capture.storages = {{4096, true}, {80, false}};
  capture.nodes[3].saved = {0, 1};
  capture.nodes[3].forward_flops = 123456789012;
  capture.nodes[3].gradient_flops.assign(capture.nodes[3].next.size(), 123456789013);
  capture.regions[0].argument_dtypes = {"float32"};
  capture.regions[0].constant_flops = 5;
  capture.constant_flops = 6;
  capture.nodes[3].module = "a";
  capture.nodes[3].source = "model.py:3";
  capture.regions[0].source = "model.py:2";
  capture.regions[0].place = "/home/me/model.py:88";
  return capture;
}

void refuse(const std::string& json, const std::string& expected) {
  try {
    parse_capture(json, "x.capture.json");
    FAIL("accepted " << json);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::not_a_model);
    CHECK_THAT(error.what(), Catch::Matchers::StartsWith("x.capture.json: is not a") && tests::contains(expected));
    CHECK_THAT(error.what(), !tests::contains("\n"));
  }
}

}  // namespace

TEST_CASE("a capture survives JSON") {
  std::string json = to_json(everything());
  Capture again = parse_capture(json, "f");
  CHECK(to_json(again) == json);
  CHECK(again.nodes[3].forward_flops == 123456789012);
  CHECK(again.nodes[3].gradient_flops == everything().nodes[3].gradient_flops);
  CHECK(again.regions[0].argument_dtypes == std::vector<std::string>{"float32"});
  CHECK(again.regions[0].constant_flops == 5);
  CHECK(again.regions[0].place == "/home/me/model.py:88");
  CHECK(again.constant_flops == 6);
  CHECK(again.exported.bucket_cap_mb == 12.5);
  CHECK(again.exported.gradient_as_bucket_view);
  CHECK(again.regions_known);
  CHECK_FALSE(parse_capture("{\"schema\": \"gradscan-capture/1\"}", "f").regions_known);
  CHECK(again.regions[1].nested_outputs == std::vector<int>{1});
  CHECK(again.parameters[0].aliases == std::vector<std::string>{"b.weight"});
  CHECK(again.parameters[0].ddp_name == "a.weight");
  CHECK_FALSE(again.outputs[1].found_by_ddp);
  CHECK(again.outputs[0].in_loss);
}

TEST_CASE("a name in invalid UTF-8 becomes valid") {
  Capture capture = capture_from_text("parameter w");
  capture.parameters[0].name = "w\xff\xfe";
  CHECK(parse_capture(to_json(capture), "f").parameters[0].name == "w\uFFFD\uFFFD");
}

TEST_CASE("what is not a capture is refused in one line") {
  auto with = [](const std::string& member) { return "{\"schema\": \"gradscan-capture/1\", " + member + "}"; };
  refuse("", "unexpected end of input");
  refuse("[]", "schema is not gradscan-capture/1");
  refuse("{\"schema\": \"other/1\"}", "schema is not gradscan-capture/1");
  refuse(with("\"nodes\": [{\"next\": [[7, 0]]}]"), "nodes[0].next[0]: 7 is no node");
  refuse(with("\"nodes\": [{\"next\": [[0, 0]]}]"), "node 0 has an edge that does not lead to an earlier node");
  refuse(with("\"nodes\": [{\"next\": [7]}]"), "nodes[0].next[0] is neither [node, slot] nor null");
  refuse(with("\"nodes\": [{\"role\": \"king\"}]"), "nodes[0].role is a word that this gradscan does not know");
  refuse(with("\"nodes\": {}"), "nodes is no list");
  refuse(with("\"regions\": [{\"name\": \"r\", \"kind\": \"odd\", \"begin\": 0, \"end\": 0}]"),
         "regions[0].kind is a word that");
  refuse(with("\"regions\": [{\"name\": \"r\", \"end\": 0}]"), "regions[0] has no \"begin\"");
  refuse(with("\"parameters\": [{\"name\": \"p\", \"shape\": [-1]}]"), "parameters[0].shape[0] is negative");
  refuse(with("\"parameters\": [{\"name\": \"p\", \"shape\": [4294967296, 4294967296]}]"), "larger than any memory");
  refuse(with("\"nodes\": [{}, {\"next\": [[4294967296, 0]]}]"), "nodes[1].next[0][0] is too large a number");
  refuse(with("\"nodes\": [{}, {\"next\": [[0.5, 0]]}]"), "nodes[1].next[0][0] is no whole number");
  refuse(with("\"exported\": 7"), "exported is no object");
}

TEST_CASE("an empty capture is one") {
  Capture capture = parse_capture("{\"schema\": \"gradscan-capture/1\"}", "f");
  CHECK(capture.nodes.empty());
  CHECK(parse_capture(to_json(Capture{}), "f").parameters.empty());
}

TEST_CASE("a missing file is named") {
  CHECK_THROWS_WITH(read_capture("no/such.capture.json"), Catch::Matchers::StartsWith("no/such.capture.json: "));
}
