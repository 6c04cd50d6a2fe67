// docs/schema/ holds what the descriptions say. scripts/approve, or this program with GRADSCAN_APPROVE=1, writes it anew.
#include "analyzer/data/capture_fields.h"
#include "analyzer/formats/comparison_fields.h"
#include "analyzer/formats/plan_fields.h"
#include "analyzer/report/survey_fields.h"
#include "analyzer/review/baseline_fields.h"
#include "tests/support/catch.h"
#include "tests/support/golden.h"

namespace gradscan {
namespace {

template <typename T>
void check_published(const std::string& name) {
  tests::check_approved("docs/schema/gradscan-" + name + "-1.json", forms::text_of(forms::Document<T>::published()));
}

TEST_CASE("the published schemas are those of the descriptions", "[golden]") {
  check_published<Capture>("capture");
  check_published<Report>("report");
  check_published<Survey>("survey");
  check_published<Plan>("plan");
  check_published<Comparison>("comparison");
  check_published<Baseline>("baseline");
}

}  // namespace
}  // namespace gradscan
