// From the autograd graph that forward leaves behind to the nodes, regions and outputs of a Capture.
//
// The walk starts from forward's results and from every region boundary, so that it also finds what only an unused output or
// argument leads to. It keeps its own stack: a graph may be a million nodes deep.
#pragma once

#include "analyzer/capture/inputs.h"
#include "analyzer/capture/load.h"
#include "analyzer/capture/recorder.h"
#include "gradscan/capture.h"

namespace gradscan {

// Adds nodes, storages, regions and outputs to `capture`, which already has its parameters. Every output that requires grad is
// marked as part of the loss.
void walk_graph(const Model& model, const Inputs& inputs, const Recorder& recorder, const c10::IValue& result,
                Capture& capture);

}  // namespace gradscan
