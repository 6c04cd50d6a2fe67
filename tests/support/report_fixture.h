// Reports without torch: the passes over a capture are real; the verdicts are worked out from the ready marks alone and abridge
// DDP's messages. tests/run/analyse_test.cpp compares with what DDP really does.
#pragma once

#include <string>

#include "analyzer/report/report.h"
#include "gradscan/capture.h"
#include "gradscan/report.h"

namespace gradscan::tests {

// Two or more marks: marked_ready_twice in iteration 0, naming the last such parameter. No mark: unfinished_reduction in
// iteration 1 (2 with static_graph), naming all of them. Otherwise a pass; parameters that nothing fires are untrained.
Verdict verdict_from_marks(const Capture& capture, const Setup& setup);

// Everything from marks; the second uses `asked` as the verdict of the requested setup.
Report report_from_marks(const Capture& capture, const Setup& setup = {});
Report report_from_marks(const Capture& capture, const Verdict& asked);

// DDP with its defaults trains last_bucket_twice: the first of its regions fires l1 again once the reduction is finished.
Verdict last_bucket_twice_not_averaged();

// The case of this name in tests/truth/ddp_cases.txt.
Capture case_named(const std::string& name);

// ResNet-50 as mmdetection checkpoints it: 16 reentrant regions, 161 parameters.
Capture resnet50();

}  // namespace gradscan::tests
