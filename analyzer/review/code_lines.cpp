#include "analyzer/review/code_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "analyzer/text/prose.h"

namespace gradscan {
namespace {

// Splits "/home/me/model.py:88"; without a line number at the end, all of it is the path.
CodeLine split(const std::string& place) {
  std::size_t colon = place.rfind(':');
  if (colon == std::string::npos) return {place, 0, {}};
  int line = 0;
  const char *first = place.data() + colon + 1, *last = place.data() + place.size();
  auto [end, error] = std::from_chars(first, last, line);
  bool is_line = error == std::errc() && end == last && line > 0;
  return is_line ? CodeLine{place.substr(0, colon), line, {}} : CodeLine{place, 0, {}};
}

bool is_around(const std::string& folder, const std::string& path) {
  if (folder.empty() || !path.starts_with(folder)) return false;
  return path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/';
}

bool is_unreserved(char byte) {
  constexpr std::string_view marks = "/-._~";
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         marks.find(byte) != std::string_view::npos;
}

std::string in_words(const Fix& fix) {
  return fix.caveats.empty() ? fix.change : fmt::format("{} ({})", fix.change, fmt::join(fix.caveats, "; "));
}

}  // namespace

std::string mapped(const std::string& path, const SourcePathOptions& options) {
  for (const auto& [from, to] : options.path_map) {
    if (!is_around(from, path)) continue;
    std::string rest = path.substr(from.size());
    if (to.empty() || to.ends_with('/')) rest.erase(0, std::min(rest.find_first_not_of('/'), rest.size()));
    return to + (to.empty() || to.ends_with('/') || rest.empty() || rest.starts_with('/') ? "" : "/") + rest;
  }
  return path;
}

std::string uri(std::string_view path) {
  std::string text = path.starts_with('/') ? "file://" : "";
  for (char byte : path) {
    std::array<char, 4> escape{};
    std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += is_unreserved(byte) ? std::string(1, byte) : escape.data();
  }
  return text;
}

std::vector<CodeLine> code_lines(const Scanned& file, const Finding& finding, const SourcePathOptions& options) {
  std::vector<CodeLine> lines;
  for (const Group& group : finding.groups)
    for (int id : group.regions) {
      const RegionReport& region = file.report->regions[id];
      if (region.place.empty()) continue;
      CodeLine place = split(region.place);
      place.path = mapped(place.path, options);
      auto same = std::find_if(lines.begin(), lines.end(),
                               [&](const CodeLine& each) { return each.path == place.path && each.line == place.line; });
      if (same == lines.end()) same = lines.insert(lines.end(), std::move(place));
      if (std::find(same->regions.begin(), same->regions.end(), id) == same->regions.end()) same->regions.push_back(id);
    }
  if (lines.empty()) lines.push_back({mapped(file.path, options), 0, {}});
  return lines;
}

std::string remark(const Report& report, const Finding& finding) {
  std::string text = finding.title + (finding.title.ends_with('.') ? "" : ".");
  if (!finding.why.empty()) text += " " + finding.why;
  if (finding.severity == Severity::note || report.fixes.empty()) return text;
  constexpr std::size_t fixes_shown = 2;
  std::vector<std::string> fixes;
  for (std::size_t at = 0; at < std::min(report.fixes.size(), fixes_shown); ++at) fixes.push_back(in_words(report.fixes[at]));
  return fmt::format("{} Fix: {}.", text, fmt::join(fixes, ", or "));
}

}  // namespace gradscan
