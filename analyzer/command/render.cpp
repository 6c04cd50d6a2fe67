#include "analyzer/command/render.h"

namespace gradscan {
namespace {

std::string render_survey(const Survey& survey, Format format, const RenderOptions& options) {
  switch (format) {
    case Format::json:
      return to_json(survey);
    case Format::html:
      return to_html(survey, options.picture);
    case Format::markdown:
      return to_markdown(survey);
    case Format::svg:
      return to_svg(*survey.files.front().report, options.picture);
    case Format::dot:
      return to_dot(*survey.files.front().report, options.picture);
    case Format::sarif:
      return to_sarif(survey, options.places);
    case Format::github:
      return to_github(survey, options.places);
    case Format::text:
      break;
  }
  return to_text(survey, options.text);
}

}  // namespace

std::string render(const Result& result, Format format, const RenderOptions& options) {
  if (const auto* survey = std::get_if<Survey>(&result)) return render_survey(*survey, format, options);
  auto write = [&](const auto& each) { return format == Format::json ? to_json(each) : to_text(each, options.text); };
  if (const auto* plan = std::get_if<Plan>(&result)) return write(*plan);
  return write(std::get<Comparison>(result));
}

}  // namespace gradscan
