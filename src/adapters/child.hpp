#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <expected>
#include <string>
#include <vector>

#include "adapters/fd.hpp"

namespace left4me {

struct ChildResult {
    int code = -1;       ///< exit code; 128 + N for signal N
    std::string output;  ///< the beginning of what it wrote
};

/// What is kept of a program's output.
struct Capture {
    std::size_t most = std::size_t{64} << 10U;
    bool with_errors = true;  ///< standard error with it; otherwise nothing is kept of that
};

/// An unnamed file with this text, positioned at its beginning.
std::expected<Fd, std::string> text_in_memory(const std::string& text);

/// No child inherits either end.
struct Pipe {
    Fd read;
    Fd write;
};
std::expected<Pipe, std::string> make_pipe();

/// Starts a program without a shell, in an environment with only PATH and LC_ALL. `files` become its
/// descriptors 0 to 3; -1: ours, or none for 3.
std::expected<pid_t, std::string> start_child(const std::vector<std::string>& words,
                                              const std::array<int, 4>& files);

/// Its exit code; 128 + N for signal N.
int wait_for_child(pid_t pid);

/// Runs a program without a shell, in an environment with only PATH and LC_ALL, and kills it when `timeout`
/// is over. `input` becomes its standard input (and its standard error, if that is not kept: /dev/null is
/// both); `extra`, if open, its descriptor 3.
std::expected<ChildResult, std::string> run_child(const std::vector<std::string>& words, const Fd& input,
                                                  const Fd& extra, std::chrono::milliseconds timeout,
                                                  Capture capture = {});

}  // namespace left4me
