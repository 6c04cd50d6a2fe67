#!/usr/bin/env bash
# What bash completes of a line: completion.bash GRADSCAN
set -uo pipefail
export LC_ALL=C
source <("$1" --completion bash)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir models
touch model.pt 'my model.pt' report.json known.capture.json picture.svg notes

# check EXPECTED WORD...: of the last word, with commas between what it may become.
check() {
  local expected=$1
  COMP_WORDS=(gradscan "${@:2}") COMP_CWORD=$(($# - 1))
  _gradscan
  local found
  found=$(IFS=,; echo "${COMPREPLY[*]-}")
  [[ $found == "$expected" ]] && return
  echo "gradscan ${*:2} becomes \"$found\", not \"$expected\"" >&2
  exit 1
}

check --static-graph --stat
check --no-static-graph,--no-sync,--no-set-to-none --no-s
check reentrant --checkpointing re
check sgd,sgd-momentum --optimizer sgd
check sgd,sgd-momentum --optimizer = sgd
check always,never,auto --color =
check hf --checkpoint h
check text --find-unused-parameters --format te
check '' --batch ''
check picture.svg -o pic
check picture.svg --output = pic
check known.capture.json,models --save-capture ''
check known.capture.json,models,report.json --baseline ''
check 'model.pt,models' mod
check 'model.pt,models' --whole mod
check 'my model.pt' my
