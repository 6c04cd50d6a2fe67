// Measures one thing per process, so that the peak of the memory is the peak of that thing, and prints it as one line of JSON.
//
//     bench firings NODES          the graph and the firings of a synthetic transformer
//     bench replay BLOCKS          analyse(): all nine setups of a synthetic transformer
//     bench replay FILE            analyse(): all nine setups of a capture
//     bench save BLOCKS FILE       nothing: writes that transformer's capture, for whole runs of gradscan
//     bench layout FILE            the picture of a capture under find_unused_parameters
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/synthetic.h"
#include "gradscan/firings.h"
#include "gradscan/gradscan.h"

namespace gradscan {
namespace {

using Json = nlohmann::ordered_json;

double seconds(auto&& work) {
  auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Of all threads of this process so far.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Json describe(const Capture& capture) {
  return {{"nodes", capture.nodes.size()}, {"parameters", capture.parameters.size()}, {"regions", capture.regions.size()}};
}

Json measure_firings(int nodes) {
  Capture capture = transformer((nodes + nodes_per_block - 1) / nodes_per_block);
  Json result = describe(capture);
  std::optional<GradGraph> graph;
  result["graph_seconds"] = seconds([&] { graph.emplace(capture, Checkpointing::as_given); });
  // The least of a few: other programs and the first touch of fresh memory only ever add to it.
  Firings firings;
  double least = std::numeric_limits<double>::infinity();
  for (int repetition = 0; repetition < 5; ++repetition)
    least = std::min(least, seconds([&] { firings = count_firings(capture, *graph, loss_roots(capture)); }));
  result["seconds"] = least;
  for (const auto& causes : firings.causes)
    if (causes.size() != 1) throw Error(Failure::internal, "", "every parameter of the synthetic transformer fires once");
  return result;
}

// What a user waits for: analyse() replays setups that build the same graph once, on as many threads as it likes.
Json measure_replay(const Capture& capture) {
  Json result = describe(capture);
  double cpu_before = cpu_seconds();
  result["seconds"] = seconds([&] { result["setups"] = analyse(capture, Setup{}).verdicts.size(); });
  result["cpu_seconds"] = cpu_seconds() - cpu_before;
  return result;
}

Json measure_layout(const Capture& capture) {
  Report report = analyse(capture, Setup{.find_unused_parameters = true});
  Json result = describe(capture);
  result["seconds"] = seconds([&] { to_svg(report); });
  return result;
}

Json measure(const std::string& what, const std::string& argument) {
  bool number = argument.find_first_not_of("0123456789") == std::string::npos;
  if (what == "firings" && number) return measure_firings(std::stoi(argument));
  if (what == "replay") return measure_replay(number ? transformer(std::stoi(argument)) : read_capture(argument));
  if (what == "layout") return measure_layout(read_capture(argument));
  throw Error(Failure::usage, what, "is nothing that can be measured", "see the head of bench/bench.cpp");
}

}  // namespace
}  // namespace gradscan

int main(int argc, char** argv) try {
  if (argc == 4 && std::string(argv[1]) == "save") {
    write_capture(gradscan::transformer(std::stoi(argv[2])), argv[3]);
    return 0;
  }
  if (argc != 3) throw gradscan::Error(gradscan::Failure::usage, "", "two arguments are needed", "see bench/bench.cpp");
  auto result = gradscan::measure(argv[1], argv[2]);
  result["peak_kib"] = gradscan::peak_kib();
  std::cout << result << '\n';
} catch (const gradscan::Error& error) {
  std::cerr << "bench: " << error.what() << '\n';
  return gradscan::exit_code(error.failure());
}
