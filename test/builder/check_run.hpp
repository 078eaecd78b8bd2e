#pragma once

#include <sys/wait.h>

#include <functional>

#include "adapters/store/build_files.hpp"
#include "reconciler/pinning.hpp"
#include "support/catch.hpp"

namespace left4me {

/// What a check of this source finds; nothing else changes. `start` starts left4me-build.
inline store::Upstream run_check(int build_directory, const OverlaySource& source,
                                 const std::function<pid_t()>& start) {
    REQUIRE(store::write_check(build_directory, {source, "question"}));
    const BuildRecord before = store::read_record(build_directory);
    int status = 0;
    const pid_t pid = start();
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    CHECK(store::read_record(build_directory) == before);
    CHECK_FALSE(store::is_check_waiting(build_directory));
    CHECK_FALSE(store::read_taken_check(build_directory));
    const auto upstream = store::read_upstream(build_directory);
    REQUIRE(upstream);
    CHECK(upstream->question == "question");
    CHECK(upstream->source == pin_identity(source));
    return *upstream;
}

}  // namespace left4me
