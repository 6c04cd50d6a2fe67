# Installs gradscan, then builds and runs a project that uses the installation:
#   cmake -DBUILD=FOLDER -DMODEL=FILE -DCXX=COMPILER -DCXX_FLAGS=FLAGS -DGENERATOR=NAME -P run.cmake
set(work "${BUILD}/package")
set(prefix "${work}/prefix")
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${result}\n${output}")
  endif()
endfunction()

run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
run("${prefix}/bin/gradscan" --version)

# Each public header compiles alone, and brings in nobody else's headers but those that are its point.
file(GLOB headers "${prefix}/include/gradscan/*.h")
foreach(header IN LISTS headers)
  run("${CXX}" -std=c++20 -fsyntax-only -Wall -Wextra -Werror -I "${prefix}/include" -MD -MF "${work}/headers.d"
      -x c++ -include "${header}" /dev/null)
  file(READ "${work}/headers.d" included)
  set(others "/(torch|ATen|c10|graphviz|nlohmann|CLI|boost)/")
  if(header MATCHES "/(graph|firings)\\.h$")
    string(REPLACE "|boost" "" others "${others}")
  endif()
  if(included MATCHES "${others}[^ ]*")
    message(FATAL_ERROR "${header} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${work}/stranger" -G "${GENERATOR}"
    "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}")
run("${CMAKE_COMMAND}" --build "${work}/stranger")
run("${work}/stranger/stranger" "${MODEL}" "${work}/report.svg")
if(NOT EXISTS "${work}/report.svg")
  message(FATAL_ERROR "the picture was not written")
endif()
