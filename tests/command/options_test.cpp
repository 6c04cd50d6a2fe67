#include "analyzer/command/options.h"

#include "gradscan/error.h"
#include "tests/support/catch.h"

using namespace gradscan;
using Catch::Matchers::Contains;
using Strings = std::vector<std::string>;
using Action = CommandLine::Action;

namespace {

CommandLine parse(const Strings& arguments) {
  return parse_command_line(arguments);
}

std::string refusal(const Strings& arguments) {
  try {
    parse(arguments);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::usage);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("Without options the file's own setup is asked for") {
  CommandLine line = parse({"m.pt"});
  CHECK(line.action == Action::scan);
  CHECK(line.scan.models == Strings{"m.pt"});
  CHECK(line.scan.time_limit == std::chrono::seconds(600));
  CHECK_FALSE(line.scan.options.find_unused_parameters);
  CHECK_FALSE(line.scan.options.static_graph);
  CHECK_FALSE(line.scan.options.bucket_cap_mb);
  CHECK_FALSE(line.scan.options.checkpointing);
  CHECK(line.write.format == Format::text);
  CHECK(line.write.files.empty());
  CHECK_FALSE(line.write.explain);
  CHECK_FALSE(line.write.save_capture);
  CHECK(line.write.color == Color::automatic);
}

TEST_CASE("The setup") {
  ScanOptions options = parse({"--find-unused-parameters", "--no-static-graph", "--bucket-cap-mb", "0.5", "m.pt"}).scan.options;
  CHECK(options.find_unused_parameters == true);
  CHECK(options.static_graph == false);
  CHECK(options.bucket_cap_mb == 0.5);
  CHECK_FALSE(options.gradient_as_bucket_view);
  CHECK(parse({"m.pt", "--gradient-as-bucket-view"}).scan.options.gradient_as_bucket_view == true);
  CHECK(parse({"m.pt", "--no-gradient-as-bucket-view"}).scan.options.gradient_as_bucket_view == false);
  CHECK(parse({"m.pt", "--static-graph", "--no-static-graph"}).scan.options.static_graph == false);
  CHECK(parse({"m.pt", "--no-static-graph", "--static-graph"}).scan.options.static_graph == true);
}

TEST_CASE("What one iteration does") {
  ScanOptions options = parse({"m.pt", "--forwards", "2", "--backwards", "3", "--no-sync=4", "--used-outside", "head.*",
                               "--used-outside", "b", "--zero-times", "dead.*", "--checkpoint-around", "non_reentrant",
                               "--no-set-to-none", "--then", "n.pt", "--hidden", "output[1]"})
                            .scan.options;
  CHECK(options.step.forwards == 2);
  CHECK(options.step.backwards == 3);
  CHECK(options.step.no_sync == 4);
  CHECK(options.step.used_outside == Strings{"head.*", "b"});
  CHECK(options.step.zero_times == Strings{"dead.*"});
  CHECK(options.step.checkpoint_around == Kind::non_reentrant);
  CHECK_FALSE(options.step.set_to_none);
  CHECK(options.then == Strings{"n.pt"});
  CHECK(options.hidden == Strings{"output[1]"});
  CHECK_THAT(refusal({"m.pt", "--forwards", "0"}), Contains("--forwards 0: is not a whole number from 1 to 100"));
  CHECK(parse({"m.pt", "--forwards", "100"}).scan.options.step.forwards == 100);
  CHECK_THAT(refusal({"m.pt", "--forwards", "101"}), Contains("is not a whole number"));
  CHECK_THAT(refusal({"m.pt", "--no-sync", "-1"}), Contains("is not a whole number from 0"));
  CHECK_THAT(refusal({"m.pt", "--backwards", "two"}), Contains("is not a whole number"));
  CHECK(parse({"m.pt", "--checkpoint-around", "reentrant", "--checkpoint-around", "off"}).scan.options.step.checkpoint_around ==
        Kind::off);
  CHECK_THAT(refusal({"m.pt", "--checkpoint-around", "on"}), Contains("use reentrant, non-reentrant or off"));
  TrainingStep undone =
      parse({"m.pt", "--no-used-outside", "--used-outside", "a", "--zero-times", "b", "--no-zero-times"}).scan.options.step;
  CHECK(undone.used_outside.empty());
  CHECK(undone.zero_times.empty());
}

TEST_CASE("Edits of the model") {
  Edits edits =
      parse({"m.pt", "--freeze", "a", "--freeze", "b.*", "--ignore", "c", "--require-grad", "layer1"}).scan.options.edits;
  CHECK(edits.freeze == Strings{"a", "b.*"});
  CHECK(edits.ignore == Strings{"c"});
  CHECK(edits.require_grad == Strings{"layer1"});
  CHECK(parse({"m.pt"}).scan.options.edits.empty());
}

TEST_CASE("Other questions") {
  ScanRequest scan = parse({"m.pt", "--budget", "8GiB", "--batch", "16", "--optimizer", "sgd_momentum"}).scan;
  CHECK(scan.budget == 8LL << 30);
  CHECK(scan.options.analyse.batch == 16);
  CHECK(scan.options.analyse.optimizer == Optimizer::sgd_momentum);
  CHECK(parse({"m.pt", "--fix", "2"}).scan.fix == 2);
  CHECK(parse({"m.pt", "--compare", "n.pt"}).scan.compare == "n.pt");
  CHECK_THAT(refusal({"m.pt", "--fix", "0"}), Contains("is not a whole number from 1"));
  CHECK_THAT(refusal({"m.pt", "--optimizer", "lion"}), Contains("use sgd, sgd-momentum or adam"));
  CHECK_THAT(refusal({"m.pt", "--compare", "n.pt", "--budget", "1GiB"}),
             Contains("--compare: cannot be answered together with --budget"));
  CHECK_THAT(refusal({"m.pt", "--budget", "1GiB", "--fix", "1"}), Contains("cannot be answered together with --fix"));
  CHECK_THAT(refusal({"m.pt", "--budget", "1GiB", "--save-capture", "c"}), Contains("together with --save-capture"));
  CHECK_THAT(refusal({"m.pt", "--compare", "n.pt", "--batch", "2"}), Contains("together with --batch"));
  CHECK_THAT(refusal({"m.pt", "--compare", "n.pt", "-o", "a.html"}), Contains("is answered as text or JSON"));
  CHECK_THAT(refusal({"m.pt", "--compare", "n.json", "-o", "n.json"}), Contains("that file is read"));
}

TEST_CASE("What is asked of a model, and not of a saved report") {
  CHECK_FALSE(parse({"r.json", "-o", "r.html", "--focus", "0", "-j", "2"}).scan.asks_setup);
  for (const Strings& option : std::vector<Strings>{{"--static-graph"},
                                                    {"--forwards", "2"},
                                                    {"--fix", "1"},
                                                    {"--batch", "2"},
                                                    {"--no-set-to-none"},
                                                    {"--ignore", "a"},
                                                    {"--checkpoint", "a"}}) {
    Strings arguments{"r.json"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    CHECK(parse(arguments).scan.asks_setup);
  }
}

TEST_CASE("What part of the model is drawn, and where its sources are") {
  OutputRequest write = parse({"m.pt", "--focus", "432", "--radius", "3", "--path-map", "/a=/b", "--path-map", "c=d"}).write;
  CHECK(write.picture.focus == "432");
  CHECK(write.picture.radius == 3);
  CHECK(write.places.path_map.size() == 2);
  CHECK(parse({"m.pt", "--whole"}).write.picture.whole);
  CHECK_THAT(refusal({"m.pt", "--whole", "--focus", "1"}), Contains("is a part, and --whole is not"));
  CHECK_THAT(refusal({"m.pt", "--path-map", "x"}), Contains("is not OLD=NEW"));
}

TEST_CASE("Kinds of checkpointing are written with hyphens or underscores") {
  auto checkpointing = [](const std::string& kind) {
    return parse({"m.pt", "--checkpointing", kind}).scan.options.checkpointing;
  };
  CHECK(checkpointing("as-given") == Checkpointing::as_given);
  CHECK(checkpointing("reentrant") == Checkpointing::reentrant);
  CHECK(checkpointing("non-reentrant") == Checkpointing::non_reentrant);
  CHECK(checkpointing("non_reentrant") == Checkpointing::non_reentrant);
  CHECK(checkpointing("off") == Checkpointing::off);
  CHECK(refusal({"m.pt", "--checkpointing", "on"}) ==
        "--checkpointing on: is not known: use as-given, reentrant, non-reentrant or off");
}

TEST_CASE("What may be repeated takes one value at a time, in order") {
  ScanOptions options = parse({"--checkpoint", "a.*=off", "--checkpoint", "[ab]", "m.pt", "--input", "x=float32[2]", "--input",
                               "y=int64[]", "--loss", "output[0]", "--loss", "[1]"})
                            .scan.options;
  REQUIRE(options.checkpoint.size() == 2);
  CHECK(options.checkpoint[0].glob == "a.*");
  CHECK(options.checkpoint[0].kind == Kind::off);
  CHECK(options.checkpoint[1].glob == "[ab]");
  REQUIRE(options.inputs.size() == 2);
  CHECK(options.inputs[1].name == "y");
  CHECK(options.loss == Strings{"output[0]", "[1]"});
}

TEST_CASE("The extension of an output tells its format") {
  std::vector<OutputFile> files = parse({"m.pt", "-o", "a.svg", "-ob.dot", "--output", "c.json", "--output=d.txt"}).write.files;
  REQUIRE(files.size() == 4);
  CHECK(files[0].format == Format::svg);
  CHECK(files[1].format == Format::dot);
  CHECK(files[2].format == Format::json);
  CHECK(files[3].format == Format::text);
  CHECK(files[3].path == "d.txt");
  for (const char* name : {"a.pdf", "svg", ".svg", "", "a.svg/"})
    CHECK_THAT(refusal({"m.pt", "-o", name}), Contains("let it end in .txt, .json, .html, .md, .svg, .dot or .sarif"));
  CHECK_THAT(refusal({"m.pt", "-o", "a.capture.json"}), Contains("use --save-capture"));
}

TEST_CASE("The other outputs") {
  OutputRequest write = parse({"m.pt", "--explain", "432", "--save-capture", "c.capture.json", "--color", "never"}).write;
  CHECK(write.explain == "432");
  CHECK(write.save_capture == "c.capture.json");
  CHECK(write.color == Color::never);
  CHECK(parse({"m.pt", "--format", "svg"}).write.format == Format::svg);
  CHECK(refusal({"m.pt", "--format", "pdf"}) ==
        "--format pdf: is not known: use text, json, html, markdown, svg, dot, sarif or github");
  CHECK(refusal({"m.pt", "--explain", "1", "--format", "json"}) == "--explain: prints text only: leave out --format");
}

TEST_CASE("Two outputs never go to the same file") {
  CHECK(refusal({"m.pt", "-o", "a.svg", "-o", "./a.svg"}) == "-o ./a.svg: two outputs go to this file: choose another name");
  CHECK_THAT(refusal({"m.pt", "-o", "a.json", "--save-capture", "b/../a.json"}), Contains("two outputs go to this file"));
  CHECK_THAT(refusal({"m.pt", "--save-capture", "m.pt"}), Contains("that file is read"));
  CHECK(refusal({"m.pt", "--then", "n.capture.json", "--then", "o.pt", "--save-capture", "./n.capture.json"}) ==
        "--save-capture ./n.capture.json: that file is read: choose another name");
  CHECK_THAT(refusal({"m.pt", "--then", "r.json", "-o", "r.json"}), Contains("that file is read"));
  CHECK_THAT(refusal({"m.pt", "--baseline", "b.json", "-o", "b.json"}), Contains("that file is read"));
  CHECK(parse({"m.pt", "--baseline", "b.json", "--write-baseline", "b.json"}).write.write_baseline == "b.json");
}

TEST_CASE("One model or several") {
  CHECK(refusal({}) == "no model is given: write gradscan MODEL, or see gradscan --help");
  CHECK(refusal({""}) == "no model is given: write gradscan MODEL, or see gradscan --help");
  CHECK(parse({"a.pt", "-j", "4", "b.pt", "--static-graph", "c.pt"}).scan.models == Strings{"a.pt", "b.pt", "c.pt"});
  CHECK(parse({"a.pt", "--", "-b.pt"}).scan.models == Strings{"a.pt", "-b.pt"});
  CHECK(parse({"--", "--static-graph"}).scan.models == Strings{"--static-graph"});
  CHECK(parse({"-o", "-x.svg", "a b\nc.pt"}).scan.models == Strings{"a b\nc.pt"});
  CHECK(refusal({"a.pt", "./a.pt"}) == "./a.pt: is given twice: name every file once");
}

TEST_CASE("What is asked of one model is not asked of several") {
  for (const Strings& option : std::vector<Strings>{{"--then", "c.pt"},
                                                    {"--fix", "1"},
                                                    {"--compare", "c.pt"},
                                                    {"--budget", "1GiB"},
                                                    {"--explain", "0"},
                                                    {"--save-capture", "c"}}) {
    Strings arguments{"a.pt", "b.pt"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    CHECK(refusal(arguments) == option[0] + ": is for one model: give one, or leave the option out");
  }
  CHECK_THAT(refusal({"a.pt", "b.pt", "-o", "c.svg"}), Contains("use HTML for several"));
  CHECK(parse({"a.pt", "b.pt", "-o", "c.html"}).write.files.size() == 1);
}

TEST_CASE("Unknown options have near matches") {
  CHECK(refusal({"m.pt", "--save-captur=x"}) == "--save-captur=x: is not an option of gradscan: did you mean --save-capture?");
  CHECK(refusal({"m.pt", "-x"}) == "-x: is not an option of gradscan: see gradscan --help");
}

TEST_CASE("Values are checked") {
  for (const char* number : {"0", "-1", "nan", "inf", "1e300", "5x", "x"}) {
    CHECK_THAT(refusal({"m.pt", "--bucket-cap-mb", number}), Contains("is not a number above 0: give it in MiB"));
    CHECK_THAT(refusal({"m.pt", "--time-limit", number}), Contains("is not a number above 0: give it in seconds"));
  }
  CHECK(parse({"m.pt", "--time-limit", "0.5"}).scan.time_limit == std::chrono::seconds(1));
  for (const char* option : {"--checkpoint", "--input", "--loss", "--explain", "--save-capture", "--format", "--color", "-o"}) {
    CHECK_THAT(refusal({"m.pt", option}), Contains("missing"));
    CHECK(refusal({"m.pt", option, ""}) != "accepted");
  }
  CHECK(refusal({"m.pt", "--static-graph=maybe"}) != "accepted");
  CHECK_THAT(refusal({"m.pt", "--checkpoint", "a=on"}), Contains("is not a kind of checkpoint"));
  CHECK_THAT(refusal({"m.pt", "--input", "x"}), Contains("write NAME=DTYPE[SHAPE]"));
}

TEST_CASE("Options --help and --version need no model") {
  CHECK(parse({"--help"}).action == Action::help);
  CHECK(parse({"-h"}).action == Action::help);
  CHECK(parse({"m.pt", "--help", "--unknown"}).action == Action::help);
  CHECK(parse({"--version"}).action == Action::version);
  CHECK(parse({"--list-presets"}).action == Action::list_presets);
  CHECK(parse({"--list-findings"}).action == Action::list_findings);
}

TEST_CASE("Other ways to say a value") {
  CHECK(refusal({"m.pt", "-j", "0"}) == "-j 0: is not a whole number from 1 to 256: give another number");
  CHECK(refusal({"m.pt", "--jobs=true"}) == "-j true: is not a whole number from 1 to 256: give another number");
  CHECK(refusal({"m.pt", "--color", "0"}) == "--color 0: is not known: use always, never or auto");
  CHECK(parse({"m.pt", "--budget", "1.5GiB"}).scan.budget == 1610612736);
  CHECK(parse({"m.pt", "--forwards", "2", "--forwards", "3"}).scan.options.step.forwards == 3);
  CHECK(parse({"m.pt", "--loss", "{}", "--loss", "a,b"}).scan.options.loss == Strings{"{}", "a,b"});
}

TEST_CASE("A baseline may be written anew, a model may not") {
  CHECK_THAT(refusal({"b.json", "--baseline", "b.json", "--write-baseline", "b.json"}), Contains("that file is read"));
  CHECK_THAT(refusal({"m.pt", "--baseline", "b.json", "--save-capture", "b.json"}), Contains("that file is read"));
}

TEST_CASE("Completion is of a shell, and needs no model") {
  CommandLine line = parse({"--completion", "zsh"});
  CHECK(line.action == Action::completion);
  CHECK(line.completion == Shell::zsh);
  CHECK(parse({"--man-page"}).action == Action::man_page);
  CHECK_THAT(refusal({"--completion", "csh"}), Contains("use bash, zsh or fish"));
}
