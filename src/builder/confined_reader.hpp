#pragma once

#include <sys/types.h>

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/fd.hpp"
#include "builder/messages.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// What a process of its own parses.
struct ConfinedReading {
    /// What it reads, in any descriptors; it finds them as 0, 1, ….
    std::vector<int> files;
    /// Runs in that process: sends Messages to the pipe, End or Failed as the last one.
    std::function<void(int pipe)> read;
    /// For messages.
    std::string_view what = "the file";
    /// What to do if it takes too much memory.
    std::string_view less_memory = "pack it with a smaller dictionary";
};

/// A process of its own that parses files of strangers and can do nothing else: only the files and a pipe
/// are open in it (Confinement::ParseOnly). Dies with this object.
class ConfinedReader {
  public:
    static Built<ConfinedReader> start(const ConfinedReading& reading);
    /// Of one file. `parse` finds it as `file`, at any position.
    static Built<ConfinedReader> start(int file, void (*parse)(int file, int pipe));
    ConfinedReader(ConfinedReader&& other) noexcept
        : what_(other.what_),
          less_memory_(other.less_memory_),
          pipe_(std::move(other.pipe_)),
          pid_(std::exchange(other.pid_, -1)) {}
    ConfinedReader& operator=(ConfinedReader&&) = delete;
    ~ConfinedReader();

    /// `message` is filled again: its memory is used for the next one. An error if the process has ended too
    /// early, or sends what is no message.
    Built<void> next(Message& message);

  private:
    explicit ConfinedReader(const ConfinedReading& reading)
        : what_(reading.what), less_memory_(reading.less_memory) {}
    std::unexpected<BuildError> end();
    int wait();

    std::string_view what_;
    std::string_view less_memory_;
    Fd pipe_;
    pid_t pid_ = -1;
};

}  // namespace left4me::builder
