#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#if LEFT4ME_CATCH2_MAJOR >= 3
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

int main(int argc, char** argv) {
    // CTest sets it for the programs that are listed in cmake/testing.cmake, and treats this exit code as
    // "skipped".
    constexpr int skipped = 77;
    if (std::getenv("LEFT4ME_TEST_NEEDS_ROOT") != nullptr && ::geteuid() != 0) {
        (void)std::puts("not run: it mounts file systems, which needs root");
        return skipped;
    }
    return Catch::Session().run(argc, argv);
}
