// A fingerprint identifies a finding even when lines move. It is made of the finding's rule and severity and the names of the
// affected parameters and regions, so a conflict that affects one more parameter is another finding. If none are affected, the
// first line of the error message is used instead.
#pragma once

#include <string>

#include "gradscan/report.h"

namespace gradscan {

// A UUID of version 5, "xxxxxxxx-xxxx-5xxx-xxxx-xxxxxxxxxxxx".
std::string fingerprint(const Report& report, const Finding& finding);

}  // namespace gradscan
