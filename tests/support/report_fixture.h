// Reports without torch: the passes over a capture are real, the verdicts are worked out from the ready marks alone and speak
// in abridged words. What DDP really does is compared elsewhere (tests/run/analyse_test.cpp).
#pragma once

#include <string>

#include "analyzer/report/report.h"
#include "gradscan/capture.h"
#include "gradscan/report.h"

namespace gradscan::tests {

// Two marks or more: marked_ready_twice in iteration 0, naming the last such parameter. No mark: unfinished_reduction in
// iteration 1 (2 with static_graph), naming all of them. Else a pass; those that nothing fires are untrained.
Verdict verdict_from_marks(const Capture& capture, const Setup& setup);

// Everything from marks; `asked` in place of the verdict of the setup asked where that is given.
Report report_from_marks(const Capture& capture, const Setup& setup = {});
Report report_from_marks(const Capture& capture, const Verdict& asked);

// The case of this name in tests/truth/ddp_cases.txt.
// DDP with its defaults trains last_bucket_twice: the first of its regions fires l1 again when the reduction is finished.
Verdict last_bucket_twice_not_averaged();

Capture case_named(const std::string& name);

// ResNet-50 as mmdetection checkpoints it: 16 reentrant regions, 161 parameters.
Capture resnet50();

}  // namespace gradscan::tests
