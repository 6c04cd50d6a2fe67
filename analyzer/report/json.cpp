#include "analyzer/report/json.h"

#include "analyzer/report/report_fields.h"
#include "gradscan/report_json.h"

namespace gradscan {

std::string_view to_string(Severity severity) {
  return forms::word_of(severity);
}

std::string to_json(const Report& report) {
  return forms::text_of(forms::Document<Report>{}.write(report));
}

}  // namespace gradscan
