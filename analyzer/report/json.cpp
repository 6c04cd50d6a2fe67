#include "analyzer/report/json.h"

#include "analyzer/report/report_fields.h"
#include "gradscan/writers.h"

namespace gradscan {

std::string_view to_string(Level level) {
  return forms::word_of(level);
}

std::string to_json(const Report& report) {
  return forms::text_of(forms::Document<Report>{}.write(report));
}

}  // namespace gradscan
