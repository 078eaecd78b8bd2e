# left4me_test(NAME [ROOT] SOURCES… LIBRARIES…): one Catch2 program, each of its cases a CTest test. ROOT: they are skipped
# for everybody else.
find_package(Catch2 REQUIRED)
include(Catch)

if(NOT TARGET left4me_test_main)
  add_library(left4me_test_main STATIC ${PROJECT_SOURCE_DIR}/test/support/catch_main.cpp)
  target_include_directories(left4me_test_main PUBLIC ${PROJECT_SOURCE_DIR}/test ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(left4me_test_main PUBLIC Catch2::Catch2)
  target_compile_definitions(left4me_test_main PUBLIC LEFT4ME_CATCH2_MAJOR=${Catch2_VERSION_MAJOR}
    LEFT4ME_TEST_CASES="${PROJECT_SOURCE_DIR}/test/cases")
endif()

function(left4me_test name)
  cmake_parse_arguments(ARG "ROOT" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE left4me_test_main ${ARG_LIBRARIES} left4me_warnings)
  # The longest takes a minute, or five with sanitizers on a busy machine. One that hangs ends before ./check gives up the
  # step, and is named.
  set(properties TIMEOUT 800)
  if(ARG_ROOT)
    list(APPEND properties ENVIRONMENT LEFT4ME_TEST_NEEDS_ROOT=1 SKIP_RETURN_CODE 77)
  endif()
  catch_discover_tests(${name} PROPERTIES ${properties})
endfunction()

# left4me_host_test(NAME SOURCES… LIBRARIES…): a Catch2 program that runs as root inside a test host which has left4me
# installed; NAME begins with host_. `cmake --install BUILD --component tests` puts it where test/host/run-tests looks.
if(NOT TARGET left4me_host_tests)
  add_custom_target(left4me_host_tests)
endif()

function(left4me_host_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE left4me_test_main ${ARG_LIBRARIES} left4me_warnings)
  install(TARGETS ${name} DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/left4me-tests COMPONENT tests EXCLUDE_FROM_ALL)
  add_dependencies(left4me_host_tests ${name})
endfunction()
