#include "analyzer/command/options.h"

namespace gradscan {

const std::string_view help_text = R"(Usage: gradscan [options] MODEL...

Says what DistributedDataParallel will do with a model and its gradient checkpointing, before the job
is launched. MODEL is a TorchScript file, which is loaded and run once on the CPU, a .capture.json, or a
report that was saved as .json, to be written in another format.

How the model is trained (otherwise: what the file says, else the defaults of DistributedDataParallel)
  --[no-]find-unused-parameters  find_unused_parameters=True (False)
  --[no-]static-graph            static_graph=True (False)
  --[no-]gradient-as-bucket-view
                                 gradient_as_bucket_view=True (False)
  --bucket-cap-mb MB             bucket_cap_mb=MB, in MiB
  --checkpointing KIND           take all checkpoint regions to be reentrant, non-reentrant or off; as-given
                                 leaves every region the kind that it has
  --freeze PARAMETER             requires_grad_(False), before DDP is made. A name or glob; may be repeated
  --ignore PARAMETER             DDP is told to ignore it: it is trained, and never averaged. May be repeated
  --require-grad REGION          the tensors that a checkpoint region is given are made to require grad. A name or
                                 glob; may be repeated

What one iteration does (otherwise: zero_grad(), loss(ddp(x)).backward())
  --forwards N                   N forward calls enter one loss
  --backwards N                  the loss goes backward N times, retain_graph=True but for the last
  --no-sync N                    N losses go backward inside of no_sync() before the one that is synchronised
  --used-outside PARAMETER       the loss also takes the sum of a parameter, which a name or glob says. May be
                                 repeated
  --zero-times PARAMETER         the loss also takes 0.0 times that sum. May be repeated
  --no-used-outside, --no-zero-times
                                 the loss takes no parameter after all
  --checkpoint-around KIND       checkpoint(ddp, x), reentrant, non-reentrant or off
  --no-set-to-none               zero_grad(set_to_none=False)
  --then FILE                    the graph changes: forward calls run MODEL's and FILE's in turn. FILE is of the
                                 same model, with other inputs or branches. May be repeated

What the file may not tell
  --checkpoint PATTERN[=KIND]    the regions of MODEL whose name matches are reentrant (default), non-reentrant
                                 or off. If none does: the calls of the outermost modules whose path matches
                                 are such regions. A glob; * also crosses dots. May be repeated: the last
                                 pattern that matches counts. Or a library, for the modules that it checkpoints
                                 when it is asked to: mmcv, hf, timm, torchvision (see --list-presets)
  --input NAME=DTYPE[SHAPE]      an argument of forward, x=float32[2,3,224,224]. May be repeated
  --loss OUTPUT                  an output that the loss is computed from, output[0]. May be repeated; otherwise
                                 all floating-point outputs that require grad
  --hidden OUTPUT                an output that DDP does not find in what the script's model returns, because it
                                 is inside of an object of its own class. May be repeated
  --time-limit SECONDS           how long loading and running may take (600)

What to ask (otherwise: what happens, why, and which change repairs it)
  --explain NAME|INDEX           tell the whole story of one parameter
  --fix N                        apply the N-th of the changes that the report offers, and report on that
  --compare FILE                 why does FILE end otherwise than MODEL? FILE is read with the same options
  --budget SIZE                  which modules to checkpoint so that training fits into SIZE of memory, 8GiB
  --batch N                      memory and work for a batch of N instead of the one that was captured
  --optimizer NAME               count its state as memory: sgd, sgd-momentum or adam

What to write
  --format FORMAT                of standard output: text, json, html, markdown, svg, dot, sarif or github
  -o, --output FILE              also write a report; its name ends in .txt, .json, .html, .md, .svg, .dot or
                                 .sarif. May be repeated
  --focus PARAMETER|REGION       draw what is around it, --radius N steps far (1)
  --whole                        draw the whole model, not only the part in conflict
  --baseline FILE                accept the findings that FILE names: only others are conflicts
  --write-baseline FILE          write the findings of this run there
  --path-map OLD=NEW             source files stand below NEW, not OLD. May be repeated
  --save-capture FILE            save what running MODEL has shown, and nothing of the files of --then; a file whose
                                 name ends in .capture.json can be scanned again in place of the model
  -j, --jobs N                   scan N files at a time (1)
  --color WHEN                   always, never or auto: on a terminal unless NO_COLOR is set
  --list-findings                print what gradscan finds, by rule
  --list-presets                 print what the libraries of --checkpoint stand for
  -h, --help                     print this text
  --version                      print the versions of gradscan and torch

Options of a project stand in gradscan.toml, beside MODEL or above: find-unused-parameters = true.

Examples
  gradscan resnet50.pt --find-unused-parameters -o report.svg
  gradscan traced.pt --checkpoint 'encoder.layers.*' --explain encoder.layers.3.fc1.weight
  gradscan scripted.pt --input 'ids=int64[2,128]' --static-graph --format json
  gradscan configs/*.pt -j 4 -o report.html -o report.sarif

Exit codes (of several files: the greatest)
   0  nothing is wrong in this setup
   1  DistributedDataParallel raises an error, or gradients are silently wrong; or --budget is too small. Of
      --compare: in MODEL
   2  the command line makes no sense
   3  MODEL is not a file that gradscan reads
   4  the model failed or crashed while it was loaded or run
   5  a limit of time, memory or size was hit
   6  an output could not be written
  70  a bug in gradscan
)";

}  // namespace gradscan
