// A fingerprint: what stays of a finding when lines move. It is made of the finding's rule and the names of the parameters and
// regions concerned, so a conflict that takes hold of one more parameter is another finding. Where it concerns none, the first
// line of the error's message stands for them.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// A UUID of version 5, "xxxxxxxx-xxxx-5xxx-xxxx-xxxxxxxxxxxx".
std::string fingerprint(const Report& report, const Finding& finding);

}  // namespace gradscan
