#include "analyzer/report/survey_fields.h"
#include "gradscan/report_json.h"

namespace gradscan {

std::string to_json(const Survey& survey) {
  if (survey.files.size() == 1 && survey.files[0].report) return to_json(*survey.files[0].report);
  return forms::text_of(forms::Document<Survey>{}.write(survey));
}

}  // namespace gradscan
