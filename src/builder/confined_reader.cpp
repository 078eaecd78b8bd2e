#include "builder/confined_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <new>

#include "adapters/store/files.hpp"
#include "builder/confinement.hpp"

namespace left4me::builder {

namespace {

/// Only these stay open, as 0, 1, …. False: not all of them.
bool keep_only(std::vector<int> kept) {
    // Parked above all places first, in case one of them is in the place of another.
    const int high = static_cast<int>(kept.size()) + 64;
    for (int& file : kept) {
        file = ::fcntl(file, F_DUPFD, high);
        if (file < 0) return false;
    }
    int place = 0;
    for (const int file : kept) {
        if (::dup2(file, place) != place) return false;
        ++place;
    }
    return ::syscall(SYS_close_range, static_cast<unsigned>(place), ~0U, 0) == 0;
}

void send_failure(int pipe, const std::string& why) {
    (void)send_message(pipe, {.kind = Message::Kind::Failed, .text = why, .more = {}});
}

/// In the child.
[[noreturn]] void run(const ConfinedReading& reading, int pipe) {
    std::vector<int> kept = reading.files;
    kept.push_back(pipe);
    const int into = static_cast<int>(reading.files.size());
    const bool alone = keep_only(kept);
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Names are UTF-8 in a tar file, and UTF-16 in a 7z file.
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");
    const auto confined = confine_build(Confinement::ParseOnly);
    if (alone && confined) {
        try {
            reading.read(into);
        } catch (const std::bad_alloc&) {
            send_failure(into, fmt::format("unpacking it needs too much memory; {}", reading.less_memory));
        }
    } else {
        send_failure(alone ? into : pipe,
                     confined ? "its process could not be confined" : confined.error().message);
    }
    ::_exit(0);
}

std::unexpected<BuildError> damaged(const std::string& message) {
    return std::unexpected(BuildError{BuildFailureKind::SourceUnavailable, message, true});
}

}  // namespace

Built<ConfinedReader> ConfinedReader::start(int file, void (*parse)(int file, int pipe)) {
    return start({.files = {file}, .read = [parse](int pipe) { parse(0, pipe); }});
}

Built<ConfinedReader> ConfinedReader::start(const ConfinedReading& reading) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return own_failure(errno, store::io_error("pipe").error());
    ConfinedReader reader(reading);
    reader.pipe_ = Fd(ends[0]);
    const Fd child_end(ends[1]);
    // Fewer switches between the two.
    (void)::fcntl(reader.pipe_.get(), F_SETPIPE_SZ, 2 * static_cast<int>(max_data_bytes));
    reader.pid_ = ::fork();
    if (reader.pid_ < 0) return own_failure(errno, store::io_error("fork").error());
    if (reader.pid_ == 0) run(reading, child_end.get());
    return reader;
}

ConfinedReader::~ConfinedReader() {
    if (pid_ <= 0) return;
    (void)::kill(pid_, SIGKILL);
    (void)wait();
}

Built<void> ConfinedReader::next(Message& message) {
    const auto got = next_message(pipe_.get(), message);
    if (got) return {};
    if (got.error() == NoMessage::Invalid)
        return damaged(fmt::format("the process that read it sent nonsense: {} is hostile", what_));
    return end();
}

/// Why its pipe has ended before the source has.
std::unexpected<BuildError> ConfinedReader::end() {
    const int status = wait();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return std::unexpected(
            BuildError{BuildFailureKind::OutOfMemory,
                       fmt::format("unpacking {} needs more memory than the unit's MemoryMax=; {}", what_,
                                   less_memory_)});
    }
    const std::string how = WIFSIGNALED(status) ? fmt::format("was killed by signal {} ({})",
                                                              WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                                                : fmt::format("ended with {}", WEXITSTATUS(status));
    return damaged(fmt::format("{} is damaged or hostile: the process that read it {}", what_, how));
}

int ConfinedReader::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

}  // namespace left4me::builder
