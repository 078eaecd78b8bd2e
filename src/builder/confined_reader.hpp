#pragma once

#include <sys/types.h>

#include <utility>

#include "adapters/fd.hpp"
#include "builder/messages.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// A process of its own that parses one file of strangers and can do nothing else: only the file and a pipe
/// are open in it (Confinement::ParseOnly). Dies with this object.
class ConfinedReader {
  public:
    /// Reads the file that `file` is open at, and sends Messages to `pipe`. Runs in the child.
    using Parse = void (*)(int file, int pipe);

    /// From the beginning of the file.
    static Built<ConfinedReader> start(int file, Parse parse);
    ConfinedReader(ConfinedReader&& other) noexcept
        : pipe_(std::move(other.pipe_)), pid_(std::exchange(other.pid_, -1)) {}
    ConfinedReader& operator=(ConfinedReader&&) = delete;
    ~ConfinedReader();

    /// `message` is filled again: its memory is used for the next one. An error if the process has ended too
    /// early, or sends what is no message.
    Built<void> next(Message& message);

  private:
    ConfinedReader() = default;
    std::unexpected<BuildError> end();
    int wait();

    Fd pipe_;
    pid_t pid_ = -1;
};

}  // namespace left4me::builder
