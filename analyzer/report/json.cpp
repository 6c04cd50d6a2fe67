#include "analyzer/report/report_fields.h"
#include "gradscan/report_json.h"

namespace gradscan {

std::string to_json(const Report& report) {
  return forms::text_of(forms::Document<Report>{}.write(report));
}

}  // namespace gradscan
