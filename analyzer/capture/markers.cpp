#include "analyzer/capture/markers.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace gradscan {
namespace {

MarkerError malformed(const std::string& marker, const std::string& problem) {
  return MarkerError(fmt::format("has a malformed region marker {}: {}", marker, problem));
}

Kind kind_named(const std::string& name) {
  for (Kind kind : {Kind::reentrant, Kind::non_reentrant})
    if (to_string(kind) == name) return kind;
  throw std::invalid_argument(fmt::format("unknown kind \"{}\"", name));
}

std::string region_number(const nlohmann::json& number) {
  return number.is_null() ? "" : std::to_string(number.get<std::int64_t>());
}

BeginMarker read_begin(const nlohmann::json& marker) {
  BeginMarker begin{.region = region_number(marker.at("region")),
                    .parent = region_number(marker.value("parent", nlohmann::json())),
                    .name = marker.at("name").get<std::string>(),
                    .kind = kind_named(marker.at("kind").get<std::string>()),
                    .source = marker.value("source", ""),
                    .place = marker.value("place", ""),
                    .direct = marker.at("direct").get<std::vector<bool>>(),
                    .requires_grad = marker.at("requires_grad").get<std::vector<bool>>()};
  if (begin.direct.size() != begin.requires_grad.size()) throw std::invalid_argument("the lists of flags differ in length");
  return begin;
}

template <class Marker>
Marker parse(const std::string& json, Marker (*read)(const nlohmann::json&)) {
  try {
    return read(nlohmann::json::parse(json));
  } catch (const nlohmann::json::exception& error) {
    std::string words = error.what();  // "[json.exception.type_error.302] type must be ..."
    throw malformed(json, words.substr(words.find("] ") + 2));
  } catch (const std::invalid_argument& error) {
    throw malformed(json, error.what());
  }
}

}  // namespace

BeginMarker parse_begin_marker(const std::string& json) {
  return parse<BeginMarker>(json, &read_begin);
}

EndMarker parse_end_marker(const std::string& json) {
  return parse<EndMarker>(
      json, +[](const nlohmann::json& marker) {
        return EndMarker{.region = region_number(marker.at("region")), .direct = marker.at("direct").get<std::vector<bool>>()};
      });
}

}  // namespace gradscan
