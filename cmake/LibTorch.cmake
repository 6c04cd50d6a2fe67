# Finds LibTorch and defines torch::cpu: libtorch_cpu, libc10 and their headers.
#
# It is looked for, in this order, in
#   - Torch_DIR (the folder of TorchConfig.cmake), then CMAKE_PREFIX_PATH: CMake variables or environment variables;
#   - the system's folders;
#   - the torch that python3 would import;
#   - the torch in the source tree's .venv, where scripts/setup puts one.
# If Python3_EXECUTABLE is set, that Python is asked in place of the last two.
# One that is too old is passed over, but not if Torch_DIR names it.
#
# find_package(Torch) is not used: for a CUDA wheel it looks for a CUDA toolkit and fails where there is none. gradscan
# computes on the CPU, for which libtorch_cpu is enough; that of a CUDA wheel finds the two small NVIDIA libraries that it
# needs (cupti, cudart) by its own RPATH in the wheels installed beside it.
#
# Sets LIBTORCH_DIR (the folder that holds include/ and lib/), LIBTORCH_VERSION, and LIBTORCH_PYTHON (a Python with a torch
# that is not too old, which may be another one than in LIBTORCH_DIR; empty if there is none).

set(LIBTORCH_MINIMUM 2.7)

# The version of the LibTorch in a folder; empty if there is none.
function(libtorch_version dir result)
  set(version "")
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(version STREQUAL "" AND EXISTS "${dir}/include/${header}")
      file(STRINGS "${dir}/include/${header}" numbers REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
      list(TRANSFORM numbers REPLACE ".* ([0-9]+)$" "\\1")
      list(JOIN numbers "." version)
    endif()
  endforeach()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

# The first of the Pythons given whose torch is new enough, and the folders of the torch of each.
function(libtorch_of_pythons pythons python_result dirs_result)
  set(found "")
  set(dirs "")
  foreach(python IN LISTS pythons)
    execute_process(COMMAND "${python}" "${PROJECT_SOURCE_DIR}/cmake/torch_dir.py"
                    OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    list(APPEND dirs ${dir})
    libtorch_version("${dir}" version)
    if(NOT found AND version VERSION_GREATER_EQUAL LIBTORCH_MINIMUM)
      set(found "${python}")
    endif()
  endforeach()
  set(${python_result} "${found}" PARENT_SCOPE)
  set(${dirs_result} "${dirs}" PARENT_SCOPE)
endfunction()

# The folders in which a LibTorch may be, best first.
function(libtorch_candidates result)
  foreach(torch_dir "${Torch_DIR}" "$ENV{Torch_DIR}")
    if(torch_dir)
      set(${result} "${torch_dir}/../../.." PARENT_SCOPE)  # it is share/cmake/Torch in the folder looked for
      return()
    endif()
  endforeach()
  cmake_path(CONVERT "$ENV{CMAKE_PREFIX_PATH}" TO_CMAKE_PATH_LIST prefixes)
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH prefixes)
    list(APPEND candidates "${prefix}" "${prefix}/../..")  # torch.utils.cmake_prefix_path is share/cmake in it
  endforeach()
  list(APPEND candidates ${CMAKE_SYSTEM_PREFIX_PATH})
  list(APPEND candidates ${LIBTORCH_PYTHON_DIRS})
  set(${result} "${candidates}" PARENT_SCOPE)
endfunction()

if(Python3_EXECUTABLE)
  set(pythons "${Python3_EXECUTABLE}")
else()
  set(pythons python3 "${PROJECT_SOURCE_DIR}/.venv/bin/python3")
endif()
libtorch_of_pythons("${pythons}" LIBTORCH_PYTHON LIBTORCH_PYTHON_DIRS)

set(LIBTORCH_DIR "")
set(libtorch_too_old "")
libtorch_candidates(candidates)
foreach(candidate IN LISTS candidates)
  libtorch_version("${candidate}" version)
  if(version STREQUAL "")
    continue()
  elseif(version VERSION_LESS LIBTORCH_MINIMUM)
    string(APPEND libtorch_too_old " LibTorch ${version} in ${candidate} is older than ${LIBTORCH_MINIMUM}.")
  else()
    file(REAL_PATH "${candidate}" LIBTORCH_DIR)
    set(LIBTORCH_VERSION ${version})
    break()
  endif()
endforeach()
if(LIBTORCH_DIR STREQUAL "")
  message(FATAL_ERROR "No LibTorch ${LIBTORCH_MINIMUM} or newer was found.${libtorch_too_old} Install one (scripts/setup "
                      "does, or: pip install torch), or give the folder of its TorchConfig.cmake: -DTorch_DIR=FOLDER")
endif()
message(STATUS "LibTorch ${LIBTORCH_VERSION}: ${LIBTORCH_DIR}")

foreach(library torch_cpu c10)
  find_library(libtorch_${library} ${library} NO_CACHE REQUIRED NO_DEFAULT_PATH
               PATHS "${LIBTORCH_DIR}/lib" "${LIBTORCH_DIR}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
endforeach()

add_library(torch::c10 SHARED IMPORTED)
set_target_properties(torch::c10 PROPERTIES IMPORTED_LOCATION "${libtorch_c10}")
add_library(torch::cpu SHARED IMPORTED)
set_target_properties(torch::cpu PROPERTIES IMPORTED_LOCATION "${libtorch_torch_cpu}")
target_include_directories(torch::cpu SYSTEM INTERFACE
  "${LIBTORCH_DIR}/include" "${LIBTORCH_DIR}/include/torch/csrc/api/include")
target_compile_definitions(torch::cpu INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)  # as Caffe2Targets.cmake has them
target_link_libraries(torch::cpu INTERFACE torch::c10)
