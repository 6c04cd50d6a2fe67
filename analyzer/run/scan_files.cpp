#include "analyzer/run/scan_files.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <mutex>
#include <thread>

#include "analyzer/base/child_process.h"
#include "analyzer/base/files.h"
#include "analyzer/base/internal_error.h"
#include "analyzer/graph/edits.h"
#include "analyzer/run/isolate.h"
#include "analyzer/run/scan.h"
#include "gradscan/analyse.h"
#include "gradscan/capture_file.h"
#include "gradscan/error.h"
#include "gradscan/read_report.h"
#include "gradscan/report_json.h"

namespace gradscan {
namespace {

constexpr auto no_time_limit = std::chrono::hours(24 * 7);  // the model has its own limit inside

// Saved captures end in .capture.json.
bool is_saved_report(const std::string& path) {
  return path.ends_with(".json") && !path.ends_with(".capture.json");
}

Survey saved_survey(const std::string& path, const ScanRequest& request) {
  if (request.asks_setup)
    throw Error(Failure::usage, path, "is a saved report, whose setup cannot be changed",
                "scan the model or its capture instead");
  return parse_report(read_file(path), path);
}

CaptureFile in_a_child(std::chrono::seconds time_limit) {
  return [time_limit](const std::string& model, const CaptureOptions& options) {
    auto work = [&] { return to_json(capture_file(model, options)); };
    return parse_capture(isolate(model, time_limit, work), model);
  };
}

std::vector<Capture> captures_of(const std::string& model, const ScanRequest& request) {
  return captures_in_turn(model, request.options, in_a_child(request.time_limit));
}

Scanned scanned(const std::string& path, Report report) {
  const int code = exit_code(report);
  return {.path = path, .report = std::move(report), .exit_code = code};
}

ScanResult scan_model(const ScanRequest& request, const std::function<void(const Capture&)>& save) {
  const std::string& model = request.models.front();
  std::vector<Capture> in_turn = captures_of(model, request);
  try {
    Scanned file = scanned(model, report_on(in_turn, request.options, request.fix));
    int exit_code = file.exit_code;
    return {Survey{{std::move(file)}}, exit_code, std::move(in_turn.front())};
  } catch (const Error& error) {
    if (error.failure() == Failure::internal) save(in_turn.front());
    throw;
  }
}

// --- Several files ------------------------------------------------------------------------------------------------------

// Scans one file in a process of its own, which returns its survey as JSON.
Survey survey_of(const std::string& path, const ScanRequest& request) {
  if (is_saved_report(path)) return saved_survey(path, request);
  auto work = [&] { return to_json(Survey{{scanned(path, report_on(captures_of(path, request), request.options))}}); };
  ChildEnd end = run_in_child(path, no_time_limit, work);
  if (end.signal == SIGKILL)
    throw Error(Failure::limit, path, "the system killed its analysis, as it does when memory runs out",
                "scan fewer files at a time (-j) or use a machine with more memory");
  if (!end.result) throw Error(Failure::internal, path, "its analysis ended the process", "please report it");
  Survey survey = parse_report(*end.result, path);
  survey.files.front().path = path;
  return survey;
}

Scanned failed(const std::string& path, const Error& error) {
  return {.path = path, .report = {}, .error = error.what(), .exit_code = exit_code(error.failure())};
}

Survey survey_or_error(const std::string& path, const ScanRequest& request) {
  try {
    return survey_of(path, request);
  } catch (const Error& error) {
    return {{failed(path, error)}};
  } catch (const std::exception& error) {
    return {{failed(path, internal_error(path, error))}};
  }
}

Survey survey_files(const ScanRequest& request, const Progress& progress) {
  std::vector<Survey> parts(request.models.size());
  std::atomic<std::size_t> next = 0;
  std::size_t done = 0;
  std::mutex progressing;
  auto work = [&] {
    for (std::size_t at = next++; at < parts.size(); at = next++) {
      parts[at] = survey_or_error(request.models[at], request);
      std::lock_guard lock(progressing);
      progress(++done, parts.size());
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int thread = 1; thread < std::min<int>(request.parallel, static_cast<int>(parts.size())); ++thread)
      threads.emplace_back(work);
    work();
  }
  Survey survey;
  for (Survey& part : parts) std::move(part.files.begin(), part.files.end(), std::back_inserter(survey.files));
  return survey;
}

// --- Plans and comparisons
// ----------------------------------------------------------------------------------------------------

ScanResult plan(const ScanRequest& request) {
  CaptureOptions with_modules = request.options;
  with_modules.every_module = true;
  Capture whole = in_a_child(request.time_limit)(request.models.front(), with_modules);
  Capture capture = edited(whole, request.options.edits);
  const AnalyseOptions& options = request.options.analyse;
  Plan plan = plan_checkpoints(capture, resolve_setup(capture, request.options),
                               {.budget = *request.budget, .batch = options.batch, .optimizer = options.optimizer});
  int exit_code = plan.fits && plan.clean() ? exit_clean : exit_conflict;
  return {std::move(plan), exit_code, {}};
}

Side side_of(const Capture& capture, const ScanOptions& options) {
  return {edited(capture, options.edits), resolve_setup(capture, options)};
}

ScanResult comparison(const ScanRequest& request) {
  CaptureFile capture = in_a_child(request.time_limit);
  Capture first = capture(request.models.front(), request.options), second = capture(*request.compare, request.options);
  Comparison comparison = compare(side_of(first, request.options), side_of(second, request.options));
  const int code = exit_code(comparison.first);
  return {std::move(comparison), code, std::move(first)};
}

ScanResult of_survey(Survey survey) {
  int code = exit_code(survey);
  return {std::move(survey), code, {}};
}

}  // namespace

ScanResult scan_files(const ScanRequest& request, const Progress& progress, const std::function<void(const Capture&)>& save) {
  if (request.compare) return comparison(request);
  if (request.budget) return plan(request);
  if (request.models.size() > 1) return of_survey(survey_files(request, progress));
  if (is_saved_report(request.models.front())) return of_survey(saved_survey(request.models.front(), request));
  return scan_model(request, save);
}

}  // namespace gradscan
