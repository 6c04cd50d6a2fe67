// Errors that are bugs in gradscan: Failure::internal, all with the same remedy, to report them.
#pragma once

#include <exception>
#include <string>

#include "gradscan/error.h"

namespace gradscan {

Error internal_error(const std::string& subject, const std::string& problem);

// For an exception that is no Error. Only its first line is kept: torch's exceptions go on with C++ frames.
Error internal_error(const std::string& subject, const std::exception& exception);

}  // namespace gradscan
