// The JSON of a report as a value, for documents that hold reports.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan {

std::string_view to_string(Severity severity);  // "error", "silent", "note"

nlohmann::ordered_json json_of(const Report& report);
nlohmann::ordered_json json_of_price(const Price& price);
nlohmann::ordered_json json_of_fixed_memory(const FixedMemory& memory);

// Indented; bytes that are no UTF-8 become U+FFFD.
std::string text_of(const nlohmann::ordered_json& json);

}  // namespace gradscan
