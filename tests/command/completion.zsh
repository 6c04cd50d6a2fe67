#!/usr/bin/env zsh
# What zsh completes of a line, asked of an interactive one: completion.zsh GRADSCAN
zmodload zsh/zpty
folder=$(mktemp -d)
trap 'rm -rf $folder' EXIT
cd $folder
mkdir models
touch model.pt 'my model.pt' report.json picture.svg notes

# Tab completes; a line of "<" and ">" holds what it may become.
cat >setup <<SETUP
PS1= PS2=
autoload -Uz compinit
compinit -u -D
source <("$1" --completion zsh)
compadd() {
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "\$@"; return }
  local -a found
  builtin compadd -O found "\$@"
  print -rn -- \${found:+"\${(j:,:)found},"}
}
ask() { print -n '<'; _main_complete; print '>'; exit }
zle -C ask complete-word ask
bindkey '^I' ask
SETUP

# check EXPECTED LINE
check() {
  local found
  zpty ask zsh -f -i
  zpty -w ask 'source setup'
  zpty -w -n ask "gradscan $2"$'\t'
  zpty -r ask found '*<*>*'
  zpty -d ask
  found=${${found#*<}%>*}
  [[ ${(j:,:)${(uos:,:)found}} == $1 ]] && return
  print -ru2 -- "gradscan $2 becomes \"$found\", not \"$1\""
  exit 1
}

check sgd,sgd-momentum '--optimizer sgd'
check sgd,sgd-momentum '--optimizer=sgd'
check --no-set-to-none,--no-static-graph,--no-sync '--no-s'
check reentrant '--checkpointing re'
check hf '--checkpoint h'
check '' '--batch '
check picture.svg '-o pic'
check model.pt,models mod
