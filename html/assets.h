// The page's style sheet and script, compiled in from page.css and page.js (see html/CMakeLists.txt).
#pragma once

#include <string_view>

namespace gradscan::page {

extern const std::string_view style, script;
extern const std::string_view script_sha256;  // of the script's bytes, in base64

}  // namespace gradscan::page
