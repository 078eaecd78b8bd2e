# One set of warnings for every target. They are errors only where we build (the presets dev, asan and tidy, ./check): a
# packager's compiler may warn of something that ours does not know.
option(LEFT4ME_WERROR "Treat warnings as errors" OFF)

add_library(left4me_warnings INTERFACE)
target_compile_options(left4me_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnull-dereference
  -Wduplicated-cond -Wlogical-op -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${LEFT4ME_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(left4me_warnings INTERFACE -Wno-unknown-warning-option)
endif()
