#include "gradscan/setup.h"

#include "gradscan/verdict.h"
#include "tests/support/catch.h"

using namespace gradscan;

TEST_CASE("ddp_call writes what differs from the defaults") {
  CHECK(ddp_call({}) == "DistributedDataParallel(model)");
  CHECK(ddp_call({.find_unused_parameters = true}) == "DistributedDataParallel(model, find_unused_parameters=True)");
  CHECK(ddp_call({.static_graph = true, .bucket_cap_mb = 12.5}) ==
        "DistributedDataParallel(model, bucket_cap_mb=12.5, static_graph=True)");
  CHECK(ddp_call({.bucket_cap_mb = 25}) == "DistributedDataParallel(model, bucket_cap_mb=25)");
}

TEST_CASE("Who gives bucket_cap_mb gets no smaller first bucket, even if he gives the default") {
  CHECK(bucket_caps({}).first == 1);
  CHECK(bucket_caps({}).others == 25);
  CHECK(bucket_caps({.bucket_cap_mb = 25}).first == 25);
  CHECK(bucket_caps({.bucket_cap_mb = 0.5}).first == 0.5);
}

TEST_CASE("A verdict is clean if DDP is silent and has no reason to speak") {
  CHECK(Verdict{}.clean());
  CHECK_FALSE(Verdict{.outcome = Outcome::graph_changed}.clean());
  CHECK_FALSE(Verdict{.unsynchronised = {0}}.clean());
  CHECK_FALSE(Verdict{.untrained = {0}}.clean());
}

TEST_CASE("Enumerators have the names that reports use") {
  CHECK(to_string(Checkpointing::as_given) == "as_given");
  CHECK(to_string(Checkpointing::non_reentrant) == "non_reentrant");
  CHECK(to_string(Outcome::marked_ready_twice) == "marked_ready_twice");
  CHECK(to_string(Outcome::other) == "other");
}
