#include "builder/confined_reader.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <new>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/store/files.hpp"
#include "builder/archive/entries.hpp"
#include "builder/confinement.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

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
    (void)send_message(pipe, {.kind = Kind::Failed, .text = why, .more = {}});
}

/// In the child.
[[noreturn]] void run_reader(const ConfinedReading& reading, int pipe) {
    std::vector<int> kept = reading.files;
    kept.push_back(pipe);
    const int into = static_cast<int>(reading.files.size());
    const bool alone = keep_only(kept);
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Names are UTF-8 in a tar file, and UTF-16 in a 7z file.
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");
    const auto confined = confine(Confinement::ParseOnly);
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

class Reader {
  public:
    static Built<Reader> start(const ConfinedReading& reading) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return own_failure(errno, store::io_error("pipe").error());
        Reader reader;
        reader.pipe_ = Fd(ends[0]);
        const Fd child_end(ends[1]);
        // Fewer switches between the two.
        (void)::fcntl(reader.pipe_.get(), F_SETPIPE_SZ, 2 * static_cast<int>(max_data_bytes));
        reader.pid_ = ::fork();
        if (reader.pid_ < 0) return own_failure(errno, store::io_error("fork").error());
        if (reader.pid_ == 0) run_reader(reading, child_end.get());
        return reader;
    }
    Reader(Reader&& other) noexcept : pipe_(std::move(other.pipe_)), pid_(std::exchange(other.pid_, -1)) {}
    Reader& operator=(Reader&&) = delete;
    ~Reader() {
        if (pid_ <= 0) return;
        (void)::kill(pid_, SIGKILL);
        (void)wait();
    }

    int pipe() const { return pipe_.get(); }

    /// Why its pipe has ended before the source has.
    std::unexpected<BuildError> end(const ConfinedReading& reading) {
        const int status = wait();
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            return std::unexpected(
                BuildError{BuildFailureKind::OutOfMemory,
                           fmt::format("unpacking {} needs more memory than the unit's MemoryMax=; {}",
                                       reading.what, reading.less_memory)});
        }
        const std::string how =
            WIFSIGNALED(status)
                ? fmt::format("was killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                : fmt::format("ended with {}", WEXITSTATUS(status));
        return damaged(
            fmt::format("{} is damaged or hostile: the process that read it {}", reading.what, how));
    }

  private:
    Reader() = default;

    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

    Fd pipe_;
    pid_t pid_ = -1;
};

Built<void> write(const Message& message, TreeWriter& writer) {
    switch (message.kind) {
        case Kind::Directory:
            return writer.directory(message.text);
        case Kind::File:
            return writer.begin_file(message.text, (message.number & S_IXUSR) != 0);
        case Kind::Link:
            return writer.link(message.text, message.more);
        case Kind::HardLink:
            return writer.hard_link(message.text, message.more);
        case Kind::Refused:
            return writer.refuse(message.text, printable_line(message.more));
        case Kind::Data:
            return writer.write(message.number, message.text);
        case Kind::EndOfFile:
            return writer.end_file(message.number);
        case Kind::Failed:
            return std::unexpected(
                BuildError{BuildFailureKind::SourceUnavailable,
                           message.text.empty() ? "it cannot be read" : printable_line(message.text),
                           message.number == 0});
        case Kind::Revision:
        case Kind::End:
            return {};
    }
    return {};
}

}  // namespace

Built<std::string> read_confined(const ConfinedReading& reading, TreeWriter& writer, Progress& progress,
                                 const RatioLimit& limit) {
    auto reader = Reader::start(reading);
    if (!reader) return std::unexpected(reader.error());
    // Of what the source gives, whether it is kept or left out.
    std::uint64_t unpacked = 0;
    const std::uint64_t most = limit.free_bytes + limit.ratio * reading.bytes;
    std::string revision;
    Message message;
    while (true) {
        if (const auto got = next_message(reader->pipe(), message); !got) {
            if (got.error() == NoMessage::Invalid) {
                return damaged(
                    fmt::format("the process that read it sent nonsense: {} is hostile", reading.what));
            }
            return reader->end(reading);
        }
        if (message.kind == Kind::Revision) revision = printable_line(message.text);
        if (message.kind == Kind::Data) unpacked += message.text.size();
        if (auto written = write(message, writer); !written) return std::unexpected(written.error());
        if (std::max(unpacked, writer.bytes()) > most) {
            return source_failure(
                fmt::format("unpacks to more than {} times its size, as archives do that "
                            "are made to fill a disk",
                            limit.ratio));
        }
        if (message.kind == Kind::End) return revision;
        if (message.kind == Kind::File) progress.file();
        progress.at(message.position);
    }
}

}  // namespace left4me::builder
