// What --help and the man page say besides the options.
#pragma once

#include <array>
#include <string_view>

namespace gradscan::manual {

inline constexpr std::string_view usage = "gradscan [options] MODEL...";

inline constexpr std::string_view about =
    "Says what DistributedDataParallel (DDP) will do with a model and its gradient checkpointing, before the job is launched. "
    "MODEL is a TorchScript file, which is loaded and run once on the CPU, a .capture.json, or a report that was saved as "
    ".json, to be written in another format.";

inline constexpr std::string_view project =
    "A project keeps its options in gradscan.toml, beside MODEL or above it: find-unused-parameters = true.";

inline constexpr std::array<std::string_view, 4> examples{
    "gradscan resnet50.pt --find-unused-parameters -o report.svg",
    "gradscan traced.pt --checkpoint 'encoder.*' --explain encoder.fc1.weight",
    "gradscan scripted.pt --input 'ids=int64[2,128]' --static-graph --format json",
    "gradscan configs/*.pt -j 4 -o report.html -o report.sarif",
};

inline constexpr std::string_view exit_codes_title = "Exit codes (of several files: the greatest)";

}  // namespace gradscan::manual
