// Writes the pages that a browser looks at (page.test.mjs) into a folder.
#include <iostream>

#include "gradscan/files.h"
#include "gradscan/writers.h"
#include "tests/support/page_reports.h"
#include "tests/support/picture_reports.h"

using namespace gradscan;
using namespace gradscan::tests;

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: html_pages FOLDER\n";
    return 2;
  }
  const std::string folder = std::string(arguments[1]) + "/";
  write_file(folder + "resnet50.html", to_html(only(resnet50_in_every_setup())));
  write_file(folder + "verdicts.html", to_html(only(resnet50_with_verdicts())));
  write_file(folder + "silent.html", to_html(only(not_averaged())));
  write_file(folder + "large.html", to_html(only(large(10'000))));
  write_file(folder + "several.html", to_html(several_files()));
  write_file(folder + "hostile.html", to_html(only(hostile("</script><img src=x onerror=alert(1)>'\"&amp;"))));
}
