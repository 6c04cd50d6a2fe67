// Reports written by hand, one for each kind of picture.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradscan/report.h"

namespace gradscan::tests {

// ResNet-50 with 16 reentrant regions under find_unused_parameters: the search does not see 156 of 161 parameters.
Report resnet50();

// resnet50() with all regions non-reentrant: nothing is in conflict.
Report resnet50_non_reentrant();

// l2 is called in two reentrant regions: l2.weight and l2.bias fire twice.
Report used_twice();

// embedding.weight fires in the outer graph and in the region of the head; DDP lets it pass, and the ranks differ.
Report not_averaged();

// The region of l1 gets an argument without grad: its parameters never get a gradient, and DDP says nothing.
Report not_trained();

// The same, with DDP's defaults: the missing marks stop the next iteration.
Report unfinished();

// Reentrant regions within one another: outer > middle > inner ..., `depth` of them; the innermost fires twice by a shared
// parameter.
Report nested(int depth);

// backward() itself fails; no parameter is named.
Report other_error();

// A file that names no regions.
Report no_regions();

// `regions` reentrant regions, each with another parameter in conflict and of its own kind.
Report many_regions(int regions);

// used_twice() with this text wherever a file can put a text.
Report hostile(const std::string& text);

// All of the above by name.
std::vector<std::pair<std::string, Report>> all_reports();

}  // namespace gradscan::tests
