#include "analyzer/base/internal_error.h"

#include <string_view>

namespace gradscan {

Error internal_error(const std::string& subject, const std::string& problem) {
  return Error(Failure::internal, subject, problem,
               "this is a bug in gradscan: please report it, with the file that --save-capture writes");
}

Error internal_error(const std::string& subject, const std::exception& exception) {
  std::string_view text = exception.what();
  return internal_error(subject, std::string(text.substr(0, text.find('\n'))));
}

}  // namespace gradscan
