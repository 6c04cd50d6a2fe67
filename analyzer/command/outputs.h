// What a run writes: standard output, the files of -o, a capture, a baseline.
//
// Nothing is written before it is clear that all can be asked for; then everything that can be is, and each failure is said.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "analyzer/command/options.h"
#include "analyzer/run/scan_files.h"

namespace gradscan {

// "gradscan: LINE" on standard error.
void say(const std::string& line);

// Of the exception: says it and returns its exit code.
int say_failure(const std::exception_ptr& failure);

// On standard output. Throws Error (output).
void print(std::string_view content);

// How far a run over many files is: on a terminal only.
void show_progress(std::size_t done, std::size_t of);

// Throws Error (output) for files that could not be written.
void check_outputs(const OutputRequest& write);

// Whether a reader may look at other setups than the one asked: HTML has all of them.
bool wants_every_setup(const OutputRequest& write);

// Writes all that is asked for and returns the exit code: that of the first output that failed, else the scan's own with the
// baseline applied.
int write_outputs(ScanResult scan, const OutputRequest& write);

}  // namespace gradscan
