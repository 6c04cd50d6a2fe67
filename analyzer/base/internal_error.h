// Errors that are bugs in gradscan: Failure::internal, all with the remedy to report them.
#pragma once

#include <exception>
#include <string>

#include "gradscan/error.h"

namespace gradscan {

Error internal_error(const std::string& subject, const std::string& problem);

// For an exception other than Error. Only its first line is kept: torch's exceptions continue with C++ frames.
Error internal_error(const std::string& subject, const std::exception& exception);

}  // namespace gradscan
