// From the autograd graph that a run of forward has left behind to the nodes, regions and outputs of a Capture.
//
// The walk starts at forward's results and at every region boundary, so that it also finds what only an unused output or
// argument leads to, and keeps its own stack: a graph may be a million nodes deep.
#pragma once

#include "analyzer/capture/inputs.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/recorder.h"
#include "gradscan/capture.h"

namespace gradscan {

// Adds nodes, storages, regions and outputs to `capture`, which has its parameters. Every output that requires grad and could
// be part of a loss is marked as such.
void walk_graph(const Model& model, const Inputs& inputs, const Recorder& recorder, const c10::IValue& result,
                Capture& capture);

}  // namespace gradscan
