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

using Kind = Message::Kind;

/// In the child. The file and the pipe are all that stays open, in the place of stdin and stdout.
[[noreturn]] void run(int file, int pipe, ConfinedReader::Parse parse) {
    constexpr int first = STDIN_FILENO;
    // Parked above both places first, in case one of them is in the place of the other.
    constexpr int high = 64;
    const int from = ::fcntl(file, F_DUPFD, high);
    const int into = ::fcntl(pipe, F_DUPFD, high);
    const bool kept = from >= 0 && into >= 0 && ::dup2(from, first) == first && ::dup2(into, first + 1) >= 0;
    const bool closed = ::syscall(SYS_close_range, first + 2, ~0U, 0) == 0;
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Names are UTF-8 in a tar file, and UTF-16 in a 7z file.
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");
    const auto confined = confine(Confinement::ParseOnly);
    if (kept && closed && confined) {
        try {
            parse(first, first + 1);
        } catch (const std::bad_alloc&) {
            (void)send_message(
                first + 1, {.kind = Kind::Failed,
                            .text = "unpacking it needs too much memory; pack it with a smaller dictionary",
                            .more = {}});
        }
    } else {
        (void)send_message(kept ? first + 1 : pipe,
                           {.kind = Kind::Failed,
                            .text = confined ? "its process could not be confined" : confined.error().message,
                            .more = {}});
    }
    ::_exit(0);
}

}  // namespace

Built<ConfinedReader> ConfinedReader::start(int file, Parse parse) {
    if (::lseek(file, 0, SEEK_SET) != 0)
        return own_failure(errno, store::io_error("a file to parse").error());
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return own_failure(errno, store::io_error("pipe").error());
    ConfinedReader reader;
    reader.pipe_ = Fd(ends[0]);
    const Fd child_end(ends[1]);
    // Fewer switches between the two.
    (void)::fcntl(reader.pipe_.get(), F_SETPIPE_SZ, 2 * static_cast<int>(max_data_bytes));
    reader.pid_ = ::fork();
    if (reader.pid_ < 0) return own_failure(errno, store::io_error("fork").error());
    if (reader.pid_ == 0) run(file, child_end.get(), parse);
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
        return source_failure("the process that read it sent nonsense: the file is hostile");
    return end();
}

/// Why its pipe has ended before the file has.
std::unexpected<BuildError> ConfinedReader::end() {
    const int status = wait();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return std::unexpected(BuildError{
            BuildFailureKind::OutOfMemory,
            "unpacking the archive needs more memory than the unit's MemoryMax=; pack it with a smaller "
            "dictionary"});
    }
    const std::string how = WIFSIGNALED(status) ? fmt::format("was killed by signal {} ({})",
                                                              WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                                                : fmt::format("ended with {}", WEXITSTATUS(status));
    return source_failure("the file is damaged or hostile: the process that read it " + how);
}

int ConfinedReader::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
}

}  // namespace left4me::builder
