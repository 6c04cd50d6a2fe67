// Captures as a few lines of text, for tests.
//
//     parameter l1.weight l1.bias l2.weight l2.bias
//     input x
//     h = linear x l1
//     region l2 reentrant h
//       h = linear h l2
//     end h
//     output h
//
// One statement per line; '#' starts a comment; indentation means nothing. A name stands for a tensor, '-' for one that needs
// no gradient.
//
//     parameter NAME...         parameters that require grad, of shape [20,20] (NAME ends in "weight") or [20]
//     frozen NAME...            parameters that do not
//     alias NAME ALIAS          a further name of a parameter
//     input NAME...             inputs that require grad
//     data NAME...              inputs that do not
//     NAMES = OP NAME...        an operation; NAMES are its outputs, separated by spaces; it saves tensors unless OP is one of
//                               t, add, sum, view, cat
//     NAME = linear X LAYER     torch's Linear on a matrix: t(LAYER.weight), then addmm(LAYER.bias, X, t)
//     NAME = detach X           a tensor without grad
//     region NAME KIND NAME...  a checkpoint region (reentrant, non_reentrant, off) with these direct tensor arguments; inside,
//                               the names mean the arguments, all other names are closures
//     end NAME...               its outputs; "{NAME}" is one nested in a dict; behind it the names mean the outputs, names made
//                               inside are gone
//     output NAME [unused] [hidden] [dataclass]
//                               an output of the model, in the loss unless unused, found by DDP unless hidden, in a dataclass;
//                               said again, the last time counts
//
// For models in training there is also:
//
//     step MEMBER VALUE...      a member of TrainingStep: forwards 2, checkpoint_around reentrant, zero_times a.* b.*
//     then                      what follows is another capture of the model, with the same parameters and inputs; forward
//                               calls take them in turn
#pragma once

#include <string>
#include <vector>

#include "gradscan/capture.h"
#include "gradscan/setup.h"

namespace gradscan::tests {

struct Training {
  std::vector<Capture> in_turn;
  TrainingStep step;
};

// Throw std::invalid_argument for a line that they do not understand; the captures have passed validate().
Capture capture_from_text(const std::string& text);
Training training_from_text(const std::string& text);

}  // namespace gradscan::tests
