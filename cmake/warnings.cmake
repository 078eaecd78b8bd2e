# One set of warnings for every target; all of them are errors.
add_library(left4me_warnings INTERFACE)
target_compile_options(left4me_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnull-dereference
  -Wduplicated-cond -Wlogical-op -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(left4me_warnings INTERFACE -Wno-unknown-warning-option)
endif()
