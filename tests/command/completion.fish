#!/usr/bin/env fish
# What fish completes of a line: completion.fish GRADSCAN
$argv[1] --completion fish | source
set folder (mktemp -d)
cd $folder
mkdir models
touch model.pt 'my model.pt' report.json picture.svg notes

# check EXPECTED LINE, with commas between what its last word may become. Words are said with their descriptions.
function check
    set found (complete -C "gradscan $argv[2]" | string replace -r '\t.*' '' | string join ,)
    test "$found" = $argv[1]; and return
    echo "gradscan $argv[2] becomes \"$found\", not \"$argv[1]\"" >&2
    set -g failed 1
end

set failed 0
check --no-set-to-none,--no-static-graph,--no-sync --no-s
check sgd,sgd-momentum '--optimizer sgd'
check --optimizer=sgd,--optimizer=sgd-momentum --optimizer=sgd
check reentrant '--checkpointing re'
check hf '--checkpoint h'
check '' '--batch '
check picture.svg '-o pic'
check model.pt,models/ mod
cd /
rm -r $folder
exit $failed
