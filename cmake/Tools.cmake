# Programs and packages that only tests need. `scripts/setup test` installs them all. A test that lacks one is left out with a
# message; with GRADSCAN_ALL_TESTS that is an error, for a test that is left out in silence passes for ever.
option(GRADSCAN_ALL_TESTS "Configure only where every test can be run" OFF)

function(gradscan_left_out tests reason)
  if(GRADSCAN_ALL_TESTS)
    message(FATAL_ERROR "Left out, with GRADSCAN_ALL_TESTS: ${tests}. ${reason}. `scripts/setup test` installs what is missing.")
  endif()
  message(STATUS "Left out: ${tests}. ${reason}.")
endfunction()

# Searched for at each configuration: a path of the cache may be that of a program that is gone.
function(gradscan_find_tool variable)
  find_program(${variable} NAMES ${ARGN} NO_CACHE HINTS ${PROJECT_SOURCE_DIR}/.venv/bin ${PROJECT_SOURCE_DIR}/tests/node_modules/.bin)
  set(${variable} "${${variable}}" PARENT_SCOPE)
endfunction()

# The first Python that has torch and the packages of tests/requirements.txt: that with the LibTorch, else .venv's.
function(gradscan_find_tests_python result)
  set(${result} "" PARENT_SCOPE)
  foreach(python IN ITEMS "${LIBTORCH_PYTHON}" "${PROJECT_SOURCE_DIR}/.venv/bin/python3")
    if(python)
      execute_process(COMMAND "${python}" -c "from importlib.util import find_spec as f
raise SystemExit(not all(map(f, ('torch', 'pytest', 'jsonschema', 'mypy'))))" RESULT_VARIABLE lacking OUTPUT_QUIET ERROR_QUIET)
      if(lacking EQUAL 0)
        set(${result} "${python}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()
